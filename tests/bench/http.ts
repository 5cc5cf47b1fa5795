/** The least of HTTP/1.1 that a load generator needs: its own cost is taken from the server that shares the machine. */
import { connect, type Socket } from 'node:net'

export type Answer = { status: number; head: string; body: string }

const endOfHead = '\r\n\r\n'

export class Connection {
  readonly #socket: Socket
  readonly #authority: string
  #received: Buffer = Buffer.alloc(0)
  #waiting: PromiseWithResolvers<Answer> | undefined

  private constructor(socket: Socket, authority: string) {
    this.#socket = socket
    this.#authority = authority
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')))
  }

  static open(port: number): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket, `localhost:${port}`)))
    socket.once('error', reject)
    return promise
  }

  /** As a page asks: from its origin, with its cookies. */
  request(method: 'GET' | 'POST', path: string, cookie = '', body?: unknown): Promise<Answer> {
    const headers = { Origin: `http://${this.#authority}`, ...(cookie !== '' && { Cookie: cookie }) }
    if (body === undefined) return this.#send(method, path, headers)
    return this.#send(method, path, { ...headers, 'Content-Type': 'application/json' }, JSON.stringify(body))
  }

  /** As a program asks. */
  submit(path: string, form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) {
    const sent = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' }
    return this.#send('POST', path, sent, String(new URLSearchParams(form)))
  }

  /** One request at a time; a connection does not pipeline. */
  #send(method: string, path: string, headers: Readonly<Record<string, string>>, text?: string): Promise<Answer> {
    this.#waiting = Promise.withResolvers<Answer>()
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#authority}\r\n`
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`
    if (text !== undefined) head += `Content-Length: ${Buffer.byteLength(text)}\r\n`
    this.#socket.write(`${head}\r\n${text ?? ''}`)
    return this.#waiting.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    const answer = parseAnswer(this.#received)
    if (answer === undefined) return
    this.#received = Buffer.alloc(0)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(answer)
  }
}

function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(endOfHead)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const rest = bytes.subarray(end + endOfHead.length)
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  const body = length === undefined ? unchunk(head, rest) : whole(rest, Number(length))
  return body === undefined ? undefined : { status: Number(head.slice(9, 12)), head, body }
}

function whole(bytes: Buffer, length: number): string | undefined {
  return bytes.length < length ? undefined : bytes.toString('utf8', 0, length)
}

function unchunk(head: string, bytes: Buffer): string | undefined {
  if (!/^transfer-encoding: *chunked/im.test(head)) return ''
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    at = line + 2 + size + 2
    if (bytes.length < at) return undefined
    if (size === 0) return Buffer.concat(chunks).toString()
    chunks.push(bytes.subarray(line + 2, line + 2 + size))
  }
}

/** The cookies that an answer sets, ready for the Cookie header. */
export function cookiesOf(head: string): string {
  return [...head.matchAll(/^set-cookie: *([^;\r\n]+)/gim)].map((match) => match[1]).join('; ')
}

/** `name` in lower case. */
export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *([^\\r\\n]*)`, 'im').exec(head)?.[1]
}

export function json<T>(answer: Answer): T {
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.body.slice(0, 300)}`)
  return JSON.parse(answer.body) as T
}
