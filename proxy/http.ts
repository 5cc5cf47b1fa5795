/** HTTP/1.1 on connections whose TLS ended here: checks each request, and says who answers it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'
import { answerDiscovery, discoveryPath } from './discovery.ts'
import { Exchange, type World } from './exchange.ts'
import type { Forward } from './forward.ts'
import { type BodyFraming, bodyFraming, valuesOf } from './headers.ts'
import type { HostKind } from './hosts.ts'
import type { Limits } from './limits.ts'
import { type RefusalCode, refusals } from './reasons.ts'
import { isOfForwardProxy, passByWord, type WordNeeds } from './word-request.ts'

interface Needs {
  readonly world: World
  readonly publicUrl: URL
  readonly kindOf: (host: string) => HostKind | undefined
  readonly forward: Forward
  /** For programs of nodes: no pages, no cookies, and nothing is sent elsewhere. */
  readonly isApiAlone?: boolean
  /** By which clients of a forward proxy ask. undefined: this is none. */
  readonly words?: WordNeeds
}

type Expectation = '100-continue' | 'unknown'

export interface HttpEnd {
  /** The connection has its deadline for the head already. */
  take(connection: Connection, socket: Duplex): void
}

export function makeHttpEnd(needs: Needs): HttpEnd {
  const { limits } = needs.world
  const connections = new WeakMap<Duplex, Connection>()
  const server = newServer(limits)
  const begin = (request: IncomingMessage, response: ServerResponse, expects?: Expectation) => {
    const connection = connections.get(request.socket)
    if (!connection || !enter(connection, response, limits)) return
    const exchange = new Exchange(request, response, connection, needs.world)
    dispatch(exchange, needs, expects)
  }
  server.on('request', (request, response) => begin(request, response))
  server.on('checkContinue', (request, response) => begin(request, response, '100-continue'))
  server.on('checkExpectation', (request, response) => begin(request, response, 'unknown'))
  server.on('connect', (_, socket) => void refuseBytes(connections.get(socket), socket, 'connect_too_late', needs))
  server.on('clientError', (error: { code?: string }, socket) => {
    if (!error.code?.startsWith('HPE_')) return void socket.destroy()
    const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'head_too_large' : 'head_malformed'
    refuseBytes(connections.get(socket), socket, code, needs, error.code)
  })
  return {
    take: (connection, socket) => {
      connections.set(socket, connection)
      server.emit('connection', socket)
    },
  }
}

/** It listens to nothing: connections are handed to it, and their deadlines are kept by us. */
function newServer({ headBytes, idleMs }: Limits): Server {
  const server = createServer({
    maxHeaderSize: headBytes,
    insecureHTTPParser: false,
    keepAliveTimeout: idleMs,
    // Refused here, with its reason.
    requireHostHeader: false,
  })
  // Beyond a count Node would drop fields in silence; their size is limited anyway.
  server.maxHeadersCount = 0
  return server
}

/** While a request is in flight the deadline of the connection rests. */
function enter(connection: Connection, response: ServerResponse, limits: Limits): boolean {
  if (connection.inFlight >= limits.pipelined) {
    connection.refuse('too_many_pipelined')
    return false
  }
  connection.inFlight++
  connection.withoutDeadline()
  response.once('close', () => {
    connection.inFlight--
    if (connection.inFlight === 0) connection.within(limits.idleMs + limits.headMs, 'head_too_slow')
    connection.endIfDone()
  })
  return true
}

/** Where there is no response object to answer with. In the middle of an answer nothing can be said. */
function refuseBytes(
  connection: Connection | undefined,
  socket: Duplex,
  code: RefusalCode,
  { world }: Needs,
  detail?: string,
): void {
  if (!connection || !socket.writable) socket.destroy()
  else if (connection.inFlight > 0) {
    // Node stops its parser while too many answers wait, and then is handed what was decrypted already.
    connection.refuse(detail === 'HPE_PAUSED' ? 'too_many_pipelined' : 'request_malformed', detail)
  } else {
    const [status, error, message] = refusals[code]
    const body = JSON.stringify({ error, message })
    world.log({ level: 'info', message: 'proxy request', status, code, detail, address: connection.address })
    const head = `HTTP/1.1 ${status} ${error}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    socket.end(`${head}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`, () => socket.destroy())
  }
}

function dispatch(exchange: Exchange, needs: Needs, expects: Expectation | undefined): void {
  const { url = '' } = exchange.request
  if (needs.words && isOfForwardProxy(url) && expects !== 'unknown')
    return void passByWord(needs.words, exchange, expects !== undefined)
  const checked = expects === 'unknown' ? 'expectation_unknown' : check(exchange.request, needs)
  if (typeof checked === 'string') exchange.refuse(checked)
  else if (checked.pathname === discoveryPath) answerDiscovery(exchange, needs.publicUrl)
  else if (needs.isApiAlone && !isApi(checked.pathname)) exchange.refuse('no_api')
  else if (checked.kind === 'ours' && !isApi(checked.pathname)) elsewhere(exchange, needs.publicUrl)
  else {
    const { host, body } = checked
    if (expects) exchange.response.writeContinue()
    const isPublic = checked.kind === 'public' && !needs.isApiAlone
    needs.forward.pass(exchange, { host: isPublic ? host : needs.publicUrl.host, withCookies: isPublic, body })
  }
}

interface Checked {
  readonly kind: HostKind
  readonly host: string
  readonly body: BodyFraming
  /** As the edge will read it: without dot segments. */
  readonly pathname: string
}

function check(request: IncomingMessage, { kindOf, world }: Needs): Checked | RefusalCode {
  const { rawHeaders, httpVersion, url = '' } = request
  const [host, ...others] = valuesOf(rawHeaders, 'host')
  if (host === undefined || others.length > 0) return 'host_not_single'
  const kind = kindOf(host)
  if (kind === undefined) return 'host_unknown'
  const target = `http://proxy${url}`
  if (!url.startsWith('/') || !URL.canParse(target)) return 'target_not_a_path'
  if (request.headers.upgrade !== undefined) return 'upgrade_unsupported'
  const body = bodyFraming(rawHeaders, httpVersion)
  if (body === 'framing_ambiguous' || body === 'coding_unknown') return body
  if (typeof body === 'object' && Number(body.length) > world.limits.bodyBytes) return 'body_too_large'
  return { kind, host, body, pathname: new URL(target).pathname }
}

const api = /^\/(v1|oauth|\.well-known)\/|^\/(openapi\.json|healthz|readyz)$/
const isApi = (pathname: string): boolean => api.test(pathname)

/** Passkeys work at the public address only, so that is where pages are. */
function elsewhere(exchange: Exchange, publicUrl: URL): void {
  const { method, url = '' } = exchange.request
  const { pathname, search } = new URL(`http://proxy${url}`)
  const location = `${publicUrl.origin}${pathname.replace(/^\/+/, '/')}${search}`
  if (method === 'GET' || method === 'HEAD') exchange.answer(307, { location }, { Location: location })
  else exchange.refuse('host_unknown')
}
