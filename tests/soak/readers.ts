/**
 * A thousand clients whose service writes all the time, and who read nothing: the proxy holds what it held at first; then all of it arrives.
 * On loopback the kernel takes some 10 MB for each of them, until net.ipv4.tcp_mem bounds it: nothing else should be measured beside it.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { hello, type SoakedProxy, until, withProxy } from './proxy.ts'

const count = 1000
/** Of each: more than the kernel and the proxy take of somebody who does not read. */
const each = 16 * 1024 * 1024
const piece = Buffer.alloc(64 * 1024, 'x')
const megabyte = 1024 * 1024
/** For what is in flight of one reader, and what the process may drift by while nothing moves. */
const [mostOfOne, mostDrift] = [256 * 1024, 48 * megabyte]
/** Addresses of loopback, because one network may not have them all. */
const networks = 4

export async function readers(minutes: number): Promise<string> {
  const written = { bytes: 0 }
  return withProxy(
    (socket) => void socket.once('data', () => pour(socket, written)),
    async (proxy) => {
      const first = proxy.resident()
      const sockets = await open(proxy)
      await still(written)
      if (written.bytes >= count * each) throw new Error('nobody has stalled: each service has written all it had')
      const [stalled, { before, highest }] = [proxy.resident(), await watch(proxy, minutes)]
      if (stalled - first > count * mostOfOne + mostDrift)
        throw new Error(`${inMegabytes(stalled - first)} for ${count} readers`)
      if (highest - before > mostDrift)
        throw new Error(`it grew by ${inMegabytes(highest - before)} while nothing moved`)
      const held = written.bytes
      await readAll(sockets)
      return `${count} stalled readers: ${inMegabytes(first)} before, ${inMegabytes(stalled)} with them, ${inMegabytes(highest)} at most in ${minutes} min (${inMegabytes(held)} were taken from the services in all); then every byte came`
    },
  )
}

const inMegabytes = (bytes: number) => `${Math.round(bytes / megabyte)} MiB`

function pour(socket: Socket, written: { bytes: number }): void {
  let own = 0
  const more = () => {
    while (own < each) {
      own += piece.length
      written.bytes += piece.length
      if (!socket.write(piece)) return void socket.once('drain', more)
    }
    socket.end()
  }
  more()
}

async function open({ port }: SoakedProxy): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  for (let at = 0; at < count; at++) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${1 + (at % networks)}` })
    // Never listened to until the end: nothing is read but what Node takes by itself.
    socket.pause()
    await new Promise<void>((done, fail) => {
      socket.once('connect', done).once('error', fail)
    })
    socket.write(hello)
    sockets.push(socket)
    if (at % 32 === 31) await sleep(50)
  }
  return sockets
}

async function still(written: { readonly bytes: number }): Promise<void> {
  let before = -1
  let same = 0
  await until(() => {
    same = written.bytes === before ? same + 1 : 0
    before = written.bytes
    return same > 60
  }, 'the services write on and on')
}

async function watch({ resident }: SoakedProxy, minutes: number) {
  const before = resident()
  let highest = before
  for (const end = Date.now() + minutes * 60_000; Date.now() < end; await sleep(500))
    highest = Math.max(highest, resident())
  return { before, highest }
}

/** A few at a time, as people would. */
async function readAll(sockets: readonly Socket[]): Promise<void> {
  for (let at = 0; at < sockets.length; at += 50) {
    await Promise.all(
      sockets.slice(at, at + 50).map((socket) => {
        let received = 0
        socket.on('data', (bytes: Buffer) => {
          received += bytes.length
        })
        return new Promise<void>((done, fail) => {
          socket.once('error', fail).once('end', () => {
            socket.destroy()
            if (received === each) done()
            else fail(new Error(`a reader got ${received} of ${each} bytes`))
          })
          socket.resume()
        })
      }),
    )
  }
}
