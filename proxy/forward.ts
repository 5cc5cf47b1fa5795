/** Passes a request on to the edge, and its answer back. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Exchange } from './exchange.ts'
import { answerFields, type BodyFraming, requestFields } from './headers.ts'
import type { Limits } from './limits.ts'

export interface Passing {
  readonly host: string
  readonly withCookies: boolean
  readonly body: BodyFraming
}

export interface Forward {
  pass(exchange: Exchange, passing: Passing): void
  close(): void
}

type Open = (exchange: Exchange, passing: Passing) => ClientRequest

export function makeForward(edge: URL, limits: Limits): Forward {
  const isTls = edge.protocol === 'https:'
  // Of a connection that is in use nobody heeds it: an exchange has deadlines of its own.
  const options = { keepAlive: true, maxSockets: limits.edgeSockets, timeout: limits.edgeIdleMs }
  const agent = isTls ? new HttpsAgent({ ...options, minVersion: 'TLSv1.2' }) : new HttpAgent(options)
  const start = isTls ? httpsRequest : httpRequest
  const open: Open = ({ request, connection }, passing) =>
    start({
      agent,
      // Brackets are how a URL writes IPv6, not how a socket wants it.
      hostname: edge.hostname.replace(/^\[|\]$/g, ''),
      port: edge.port,
      method: request.method,
      path: request.url,
      headers: requestFields(request.rawHeaders, { ...passing, address: connection.address }),
      maxHeaderSize: limits.headBytes,
    })
  return {
    pass: (exchange, passing) => attempt(exchange, passing, open),
    close: () => agent.destroy(),
  }
}

function attempt(exchange: Exchange, passing: Passing, open: Open): void {
  const { response, limits } = exchange
  const upstream = open(exchange, passing)
  const leave = () => upstream.destroy()
  response.once('close', leave)
  const waiting = exchange.within('answer', limits.answerMs, () => {
    if (!response.headersSent) exchange.refuse('edge_too_slow')
    upstream.destroy()
  })
  upstream.on('response', (answer) => relay(exchange, answer, passing))
  upstream.on('error', (error: Error & { code?: string }) => {
    // Refused or begun already: an answer that breaks off says so by itself.
    if (response.headersSent || response.destroyed) return
    exchange.clear('answer')
    response.off('close', leave)
    if (mayRepeat(exchange, upstream, error, passing.body)) return attempt(exchange, passing, open)
    exchange.refuse(brokeOff.test(error.code ?? '') ? 'edge_broke_off' : 'edge_unreachable', { detail: error.code })
  })
  sendBody(exchange, upstream, passing.body, waiting)
}

/** Anything else happens before the edge has the request: no address, nobody there, a certificate that is not its own. */
const brokeOff = /^(ECONNRESET|EPIPE|HPE_)/

/** The edge closed a connection that it kept, just when we took it (RFC 9112 section 9.3.1); to ask again changes nothing. */
function mayRepeat(
  { request }: Exchange,
  upstream: ClientRequest,
  error: { code?: string },
  body: BodyFraming,
): boolean {
  const isSafe = request.method === 'GET' || request.method === 'HEAD'
  return upstream.reusedSocket && isSafe && body === 'none' && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '')
}

function sendBody(exchange: Exchange, upstream: ClientRequest, body: BodyFraming, waiting: NodeJS.Timeout): void {
  if (body === 'none') return void upstream.end()
  const { request, response, limits } = exchange
  let size = 0
  const pass = (part: Uint8Array) => {
    size += part.length
    waiting.refresh()
    if (size > limits.bodyBytes) return refuse('body_too_large')
    if (upstream.write(part)) return
    request.pause()
    upstream.once('drain', () => request.resume())
  }
  // The rest is read and dropped, so that the sender comes to read the answer.
  const drop = () => {
    request.off('data', pass).resume()
    upstream.destroy()
  }
  const refuse = (code: 'body_too_slow' | 'body_too_large') => {
    if (!response.headersSent) exchange.refuse(code)
    drop()
  }
  exchange.within('body', limits.bodyMs, () => refuse('body_too_slow'))
  request.on('data', pass)
  request.on('end', () => {
    exchange.clear('body')
    upstream.end()
  })
  // The edge has answered, and refused maybe, while the client still sends.
  response.once('finish', drop)
}

function relay(exchange: Exchange, answer: IncomingMessage, { withCookies }: Passing): void {
  const { response } = exchange
  exchange.clear('answer')
  // Refused meanwhile, or gone.
  if (response.headersSent || response.destroyed) return void answer.destroy()
  const id = answer.headers['x-request-id']
  if (typeof id === 'string') exchange.requestId = id
  const stalled = exchange.within('stall', exchange.limits.stallMs, () =>
    exchange.breakOff(response.writableNeedDrain || response.writableEnded ? 'client_stalled' : 'answer_stalled'),
  )
  answer.on('error', () => exchange.breakOff('answer_broke_off'))
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerFields(answer.rawHeaders, withCookies))
  // A head that comes alone goes on alone; one with a body behind it goes on together with it.
  const alone = setImmediate(() => response.flushHeaders())
  answer.once('data', () => clearImmediate(alone))
  answer.once('end', () => clearImmediate(alone))
  answer.on('data', () => stalled.refresh())
  answer.pipe(response)
}
