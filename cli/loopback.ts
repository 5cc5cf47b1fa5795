/**
 * Where the browser brings the answer: one GET of /callback on a loopback address (RFC 8252 section 7.3), from whoever
 * knows the state. Anything else is refused and the wait goes on. Nothing that comes in is ever repeated in a page.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Problem } from './problem.ts'

export interface Loopback {
  readonly redirectUri: string
  readonly answer: Promise<URLSearchParams>
  close(): void
}

export interface Expected {
  readonly state: string
  /** Of whom the answer must say that it is (RFC 9207). */
  readonly issuer: string
}

const path = '/callback'
/** An answer may hold a whole assertion. */
const longestHead = 64 * 1024

/** IPv4 alone, or IPv6 where there is no IPv4: never an address that other machines reach. */
export async function listenOnLoopback(expected: Expected): Promise<Loopback> {
  const { promise: answer, resolve } = Promise.withResolvers<URLSearchParams>()
  const server = createServer({ maxHeaderSize: longestHead, requestTimeout: 10_000, headersTimeout: 10_000 })
  const host = (await bind(server, '127.0.0.1')) ? '127.0.0.1' : '[::1]'
  if (host === '[::1]' && !(await bind(server, '::1'))) {
    throw new Problem('failed', 'no loopback address can be opened', 'give this machine 127.0.0.1 or ::1')
  }
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`
  let isAnswered = false
  server.on('request', (asked, reply) => {
    const found = isAnswered ? 410 : judge(asked, origin, expected)
    if (typeof found === 'number') return refuse(reply, found)
    isAnswered = true
    reply.once('close', () => resolve(found))
    sendPage(reply, 200, found.has('error') ? refusedPage : donePage)
  })
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { redirectUri: origin + path, answer, close }
}

function bind(server: Server, host: string): Promise<boolean> {
  return new Promise((done) => {
    const failed = () => done(false)
    server.once('error', failed)
    server.listen(0, host, () => {
      server.off('error', failed)
      done(true)
    })
  })
}

/** The parameters, or the status of what is wrong. */
function judge(asked: IncomingMessage, origin: string, { state, issuer }: Expected): URLSearchParams | number {
  // A page of somebody else that made its name point here would send its own name (DNS rebinding).
  if (asked.headers.host !== new URL(origin).host) return 421
  const [target = '', query = ''] = (asked.url ?? '').split(/\?(.*)/s)
  if (target !== path) return 404
  if (asked.method !== 'GET') return 405
  const parameters = new URLSearchParams(query)
  const isOnce = [...new Set(parameters.keys())].every((name) => parameters.getAll(name).length === 1)
  const isOurs = equalText(parameters.get('state') ?? '', state) && parameters.get('iss') === issuer
  return isOnce && isOurs ? parameters : 400
}

const digest = (text: string) => createHash('sha256').update(text).digest()
const equalText = (a: string, b: string) => timingSafeEqual(digest(a), digest(b))

const style = `:root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}body{max-width:32rem;margin:20vh auto 0;padding:0 1.5rem}`
const page = (title: string, text: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} - Sallyport</title><style>${style}</style><h1>${title}</h1><p>${text}</p></html>\n`
const donePage = page('Back to the terminal', 'The program that asked goes on there. You can close this window.')
const refusedPage = page('Refused', 'The program that asked was told so. You can close this window.')
const wrongPage = page('Nothing here', 'Nothing in a terminal waits for this answer. You can close this window.')

const headers = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  Connection: 'close',
}

const sendPage = (reply: ServerResponse, status: number, body: string) =>
  void reply.writeHead(status, headers).end(body)
const refuse = (reply: ServerResponse, status: number) => {
  if (status === 405) reply.setHeader('Allow', 'GET')
  sendPage(reply, status, wrongPage)
}
