/** Behind a balancer that is believed the client's address is the one in its header: for pin_source_ip, in the audit, and for the edge. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { encodeProxyV2 } from '../../../core/route/proxy-header.ts'
import { requiring } from '../front/front.ts'
import { ask, atEnd, edgeThat, startProxy, until } from '../proxy.ts'
import { grantFor, limitReaders, newWorld, Tunnel, type World } from './world.ts'

const behind = requiring('127.0.0.1/32')
const header = (address: string) =>
  encodeProxyV2({ source: { address, port: 51_000 }, destination: { address: '198.51.100.1', port: 443 } })

async function connecting(world: World, address: string) {
  const raw = connect({ port: world.proxy.port, host: '127.0.0.1' })
  atEnd(() => raw.destroy())
  raw.write(header(address))
  return (await Tunnel.open(world.proxy, raw)).connect(await grantFor(world, world.lea), world.lea)
}

test.for(['203.0.113.7', '2001:db8::7'])(
  'pin_source_ip: asked for from %s, it opens from there alone',
  async (address) => {
    const world = await newWorld({ tap: false, listener: behind })
    await limitReaders(world, { pin_source_ip: true })
    Object.assign(world.lea.program.visitor, { address })
    const { status, json } = await connecting(world, '203.0.113.8')
    expect([status, json['error']]).toEqual([403, 'access_denied'])
    expect(json['message']).toContain('comes from 203.0.113.8')
    expect((await connecting(world, address)).status).toBe(200)
    const told = () =>
      world.edge.rows("select kind, address from audit where kind in ('session.start', 'session.refuse') order by seq")
    await until(() => told().length === 2)
    expect(told()).toEqual([
      { kind: 'session.refuse', address: '203.0.113.8' },
      { kind: 'session.start', address },
    ])
  },
)

test('the edge hears of the client, not of the balancer', async () => {
  const heard: unknown[] = []
  const edge = await edgeThat((request, response) => {
    heard.push(request.headers['x-forwarded-for'])
    response.end('{}')
  })
  const plain = await startProxy({ edge })
  await ask(plain, '/healthz')
  const proxy = await startProxy({ edge, listener: behind })
  const raw = connect({ port: proxy.port, host: '127.0.0.1' })
  atEnd(() => raw.destroy())
  raw.write(header('203.0.113.7'))
  const socket = connectTls({ socket: raw, ca: proxy.ca, servername: 'localhost' })
  atEnd(() => socket.destroy())
  socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost:${proxy.port}\r\n\r\n`)
  await until(() => heard.length === 2)
  expect(heard).toEqual(['127.0.0.1', '203.0.113.7'])
})
