import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { makeSlots } from '../../proxy/slots.ts'
import { ask, atEnd, dial, startProxy, until } from './proxy.ts'

const edge = 'http://localhost:1'

/** Linux and Windows have all of 127.0.0.0/8. */
function stranger(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  atEnd(() => socket.destroy())
  socket.on('error', () => undefined).resume()
  return new Promise((done) => socket.once('connect', () => done(socket)))
}

test.skipIf(process.platform === 'darwin')('one network takes its own places and no others', async () => {
  const proxy = await startProxy({ edge, limits: { connectionsOfOneNetwork: 3 } })
  const three = await Promise.all([1, 2, 3].map(() => stranger(proxy.port, '127.0.0.2')))
  const fourth = await stranger(proxy.port, '127.0.0.2')
  await until(() => fourth.closed)
  await expect
    .poll(() => proxy.log)
    .toEqual([{ level: 'info', message: 'connection refused', code: 'too_many_of_one_network', address: '127.0.0.2' }])
  expect((await ask(proxy, '/.well-known/sallyport')).status).toBe(200)
  three[0]?.destroy()
  await expect.poll(async () => (await stranger(proxy.port, '127.0.0.2')).closed).toBe(false)
})

test('there are so many places in all', async () => {
  const proxy = await startProxy({ edge, limits: { connections: 2 } })
  const two = [await dial(proxy), await dial(proxy)]
  await (await dial(proxy)).closed
  await expect.poll(proxy.codes).toEqual(['too_many_connections'])
  two[0]?.socket.destroy()
  await expect
    .poll(() =>
      ask(proxy, '/.well-known/sallyport').then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200)
})

test('a place that is given back is free, and a /64 of IPv6 is one network', () => {
  const slots = makeSlots(3, 1)
  const first = slots.take('2001:db8::1') as () => void
  expect(slots.take('2001:db8::2')).toBe('too_many_of_one_network')
  expect(slots.take('::ffff:192.0.2.1')).toBeTypeOf('function')
  expect(slots.take('192.0.2.1')).toBe('too_many_of_one_network')
  first()
  expect(slots.take('2001:db8::2')).toBeTypeOf('function')
  expect(slots.take('192.0.2.2')).toBeTypeOf('function')
  expect(slots.take('192.0.2.3')).toBe('too_many_connections')
})
