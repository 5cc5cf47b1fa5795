/** Bytes go up and come back over eight connections while the proxy is reloaded ten times a gigabyte: each byte arrives, and no connection is lost. */
import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { hello, type SoakedProxy, until, withProxy } from './proxy.ts'

const gigabyte = 1e9
const connections = 8
const reloadsPerGigabyte = 10
const idlePatienceMs = 60_000

interface Course {
  readonly socket: Socket
  sent: number
  received: number
  readonly up: ReturnType<typeof createHash>
  readonly down: ReturnType<typeof createHash>
  lost: string | undefined
}

export const reloads = (gigabytes: number): Promise<string> =>
  withProxy(
    (socket) => void socket.pipe(socket),
    async (proxy) => {
      const all = gigabytes * gigabyte
      const from = performance.now()
      const courses = Array.from({ length: connections }, () => run(proxy, all / connections))
      const wanted = Math.ceil(gigabytes * reloadsPerGigabyte)
      let moved = performance.now()
      let before = 0
      for (let done = 0; done < wanted; done++) {
        await until(
          () => {
            const received = sum(courses)
            if (received !== before) moved = performance.now()
            before = received
            const lost = courses.find((course) => course.lost !== undefined)
            if (lost) throw new Error(lost.lost)
            if (performance.now() - moved > idlePatienceMs) throw new Error(`nothing moves after ${received} bytes`)
            return received >= (all * done) / wanted
          },
          `${sum(courses)} bytes after ${done} reloads`,
        )
        await proxy.reload()
      }
      await until(() => courses.every(({ socket, lost }) => socket.closed || lost !== undefined), 'no end')
      return judged(courses, proxy, wanted, performance.now() - from)
    },
  )

const sum = (courses: readonly Course[]) => courses.reduce((total, { received }) => total + received, 0)

/** Writes so many bytes that nobody can guess behind a hello, and ends. */
function run({ port }: SoakedProxy, bytes: number): Course {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const course: Course = {
    socket,
    sent: 0,
    received: 0,
    up: createHash('sha256'),
    down: createHash('sha256'),
    lost: undefined,
  }
  const block = randomBytes(1024 * 1024)
  const say = (piece: Uint8Array): boolean => {
    course.sent += piece.length
    course.up.update(piece)
    return socket.write(piece)
  }
  const more = () => {
    while (course.sent < bytes) {
      const at = (course.sent * 7) % (block.length / 2)
      if (!say(block.subarray(at, at + 1 + ((course.sent >>> 3) % (block.length / 2)))))
        return void socket.once('drain', more)
    }
    socket.end()
  }
  socket.on('data', (piece: Buffer) => {
    course.received += piece.length
    course.down.update(piece)
  })
  socket.on('error', ({ message }) => {
    course.lost = `a connection was lost after ${course.received} bytes: ${message}`
  })
  socket.once('end', () => {
    if (course.received !== course.sent || !socket.writableEnded)
      course.lost = `ended after ${course.received} of ${course.sent} bytes`
  })
  socket.once('connect', () => {
    say(hello)
    more()
  })
  return course
}

function judged(courses: readonly Course[], { lines }: SoakedProxy, wanted: number, ms: number): string {
  for (const { lost, up, down, sent, received } of courses) {
    if (lost !== undefined) throw new Error(lost)
    if (sent !== received || up.digest('hex') !== down.digest('hex'))
      throw new Error('what came back is not what was sent')
  }
  const taken = lines('configuration taken').length
  if (taken < wanted) throw new Error(`${taken} reloads of ${wanted} were taken`)
  const total = sum(courses) / gigabyte
  return `${total.toFixed(2)} GB up and back over ${courses.length} connections in ${Math.round(ms / 1000)} s across ${taken} reloads, each byte as it was sent`
}
