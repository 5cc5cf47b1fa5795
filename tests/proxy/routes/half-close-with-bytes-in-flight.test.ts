/** An end does not overtake what was said before it: ten megabytes each way, each side ends at once, and neither reads quickly. */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { message, records, sni } from '../../core/hello-writer.ts'
import { dial, until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, endsOf, filesOf, startRoutes } from './routes.ts'

const size = 10 * 1024 * 1024
const hashOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (seed: number) =>
  Buffer.alloc(size, Buffer.from(Array.from({ length: 4093 }, (_, at) => (at * seed) & 0xff)))

function slowly(socket: Pick<Socket, 'on' | 'pause' | 'resume'>): void {
  socket.on('data', () => {
    socket.pause()
    setTimeout(() => socket.resume(), 1)
  })
}

const [up, down] = [bytesOf(7), bytesOf(11)]

test('a passthrough', async () => {
  const service = await startService(
    (socket) => {
      slowly(socket)
      socket.once('data', () => socket.end(down))
    },
    { allowHalfOpen: true },
  )
  const proxy = await startRoutes([{ backends: [service.uri] }])
  const client = await connectTo(proxy)
  slowly(client.socket)
  const hello = records(message(sni('a.test')))
  client.socket.write(hello)
  client.socket.end(up)
  expect(await client.closed).toBeUndefined()
  await until(() => service.connections[0]?.ended() === true, 20_000)
  const said = Buffer.from(service.connections[0]?.said() ?? '', 'latin1')
  expect(hashOf(said.subarray(hello.length))).toBe(hashOf(up))
  expect(hashOf(Buffer.from(client.said(), 'latin1'))).toBe(hashOf(down))
  await until(() => endsOf(proxy).length === 1)
  expect(endsOf(proxy)).toMatchObject([{ code: 'ended', up: hello.length + size, down: size }])
})

test('TLS that ends here', async () => {
  const ca = await newCa()
  const own = await issue('a.test', { by: ca, names: ['a.test'] })
  const certificate = filesOf({ certificate: own.pem, key: own.key })
  const service = await startService(
    (socket) => {
      slowly(socket)
      socket.once('data', () => socket.end(down))
    },
    { allowHalfOpen: true },
  )
  const proxy = await startRoutes([{ tls: 'terminate', certificate, backends: [service.uri] }])
  const wire = await dial({ ...proxy, ca: ca.pem }, { servername: 'a.test', allowHalfOpen: true } as object)
  slowly(wire.socket)
  wire.socket.end(up)
  expect(await wire.closed).toBeUndefined()
  await until(() => service.connections[0]?.ended() === true, 20_000)
  expect(hashOf(Buffer.from(service.connections[0]?.said() ?? '', 'latin1'))).toBe(hashOf(up))
  expect(hashOf(Buffer.from(wire.said(), 'latin1'))).toBe(hashOf(down))
  await until(() => endsOf(proxy).length === 1)
  expect(endsOf(proxy)).toMatchObject([{ code: 'ended', up: size, down: size }])
})
