/** A head that another reader could read differently opens nothing, and nothing behind it is read. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { dial } from '../proxy.ts'
import { startDatabase } from './database.ts'
import { grantFor, newWorld, Tunnel } from './world.ts'

const changes: readonly (readonly [what: string, change: (lines: string[]) => string])[] = [
  ['no port', ([, ...rest]) => ['CONNECT pg-1 HTTP/1.1', ...rest, '', ''].join('\r\n')],
  ['userinfo', ([, ...rest]) => ['CONNECT lea@pg-1:443 HTTP/1.1', ...rest, '', ''].join('\r\n')],
  ['a URL', ([, ...rest]) => ['CONNECT https://pg-1:443/ HTTP/1.1', ...rest, '', ''].join('\r\n')],
  ['two Hosts', (lines) => [...lines, 'Host: pg-1:443', '', ''].join('\r\n')],
  ['another Host', ([first = '', , ...rest]) => [first, 'Host: pg-2:443', ...rest, '', ''].join('\r\n')],
  ['a body', (lines) => [...lines, 'Content-Length: 3', '', 'abc'].join('\r\n')],
  ['a chunked body', (lines) => [...lines, 'Transfer-Encoding: chunked', '', ''].join('\r\n')],
  ['bare LF', (lines) => [...lines, '', ''].join('\n')],
  ['two grants', (lines) => [...lines, lines[2] ?? '', '', ''].join('\r\n')],
  ['a folded line', (lines) => [...lines, ' folded', '', ''].join('\r\n')],
  ['HTTP/2.0', ([first = '', ...rest]) => [first.replace('/1.1', '/2.0'), ...rest, '', ''].join('\r\n')],
]

test.for(changes)('%s', async ([, change]) => {
  const world = await newWorld({ tap: false })
  const { lea, proxy, database } = world
  const tunnel = await Tunnel.open(proxy)
  const lines = await tunnel.connectLines(await grantFor(world, lea), lea.program.key, lea.program.iat)
  tunnel.socket.write(change(lines))
  const { status, head } = await tunnel.answer()
  expect(status).toBe(400)
  expect(head.toLowerCase()).toContain('connection: close')
  await tunnel.closed
  expect(database.connections).toHaveLength(0)
})

test('a name that is no resource', async () => {
  const world = await newWorld({ tap: false })
  const tunnel = await Tunnel.open(world.proxy)
  const answer = await tunnel.connect(await grantFor(world, world.lea), world.lea, { name: 'nowhere' })
  expect(answer.status).toBe(403)
})

test('bytes before the answer end the connection, in one piece with the head or behind it', async () => {
  // It takes its time, so that what follows the head comes before the answer.
  const database = await startDatabase((socket) => void setTimeout(() => socket.write('N'), 300))
  const world = await newWorld({ tap: false, database })
  const { lea, proxy } = world
  for (const pause of [false, true]) {
    const tunnel = await Tunnel.open(proxy)
    const lines = await tunnel.connectLines(await grantFor(world, lea), lea.program.key, lea.program.iat)
    const head = [...lines, '', ''].join('\r\n')
    // In two records of one segment: a pause of the network would make them bytes after the answer.
    tunnel.socket.cork()
    tunnel.socket.write(pause ? head : `${head}early`)
    if (pause) tunnel.socket.write('early')
    tunnel.socket.uncork()
    await tunnel.closed
    expect(tunnel.said).toBe('')
  }
  expect(proxy.codes().filter((code) => code === 'bytes_too_early')).toHaveLength(2)
  await sleep(50)
  expect(database.connections.every(({ said }) => !said().includes('early'))).toBe(true)
})

test('the protocol wants TLS 1.3, and without its name CONNECT asks for a word', async () => {
  const { proxy } = await newWorld({ tap: false })
  const old = await dial(proxy, { ALPNProtocols: ['sallyport'], maxVersion: 'TLSv1.2' })
  await old.closed
  await expect.poll(proxy.codes).toContain('tls_too_old')
  const web = await dial(proxy, { ALPNProtocols: ['http/1.1'] })
  web.send('CONNECT pg-1:443 HTTP/1.1', 'Host: pg-1:443', '', '')
  await web.closed
  expect(web.said()).toMatch(/^HTTP\/1\.1 407 /)
})

test('a head that comes byte by byte is read, and one that does not end is not waited for', async () => {
  const world = await newWorld({ tap: false, limits: { headMs: 400 } })
  const { lea, proxy } = world
  const slow = await Tunnel.open(proxy)
  slow.socket.write('CONNECT pg-1:443 HT')
  await slow.closed
  await expect.poll(proxy.codes).toContain('head_too_slow')
  const tunnel = await Tunnel.open(proxy)
  const lines = await tunnel.connectLines(await grantFor(world, lea), lea.program.key, lea.program.iat)
  for (const byte of [...lines, '', ''].join('\r\n')) tunnel.socket.write(byte)
  expect(await tunnel.answer()).toMatchObject({ status: 200 })
})
