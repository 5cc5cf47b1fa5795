/**
 * The local forward proxy: a listener on loopback for browsers and for whatever heeds HTTPS_PROXY. A host leads to one resource or to none:
 * nothing is ever dialled from here. CONNECT opens a session for its connection; requests for http:// share sessions, as browsers share
 * connections.
 */
import { Agent, request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Authority, parseHostPort, splitHostPort } from '../core/access/host-port.ts'
import { hostTarget, targetName } from '../core/access/host-target.ts'
import { connectEstablished } from '../core/route/connect.ts'
import { passing } from './headers.ts'
import { bind, type LocalProxy, mostConnections, type Opened, type Teller } from './local.ts'
import { holdBytes } from './local-bytes.ts'
import { type PacRule, pacFile } from './local-pac.ts'
import { splice } from './local-splice.ts'

export interface LocalHttpNeeds extends Teller {
  /** By lower-case host, the name of the resource that it leads to. */
  readonly hosts: ReadonlyMap<string, string>
  /** Hosts that are no resources. */
  readonly beyond?: BeyondHosts
  /** Opens a session on one, and may give up once `gone` says that nobody waits for it. Never rejects. */
  open(name: string, gone: AbortSignal, ended: AbortSignal): Promise<Opened>
}

export interface BeyondHosts {
  /** For a browser that asks which hosts lead somewhere. */
  readonly rules: readonly PacRule[]
  /** `name`: `HOST:PORT` in its one spelling. */
  leads(name: string): boolean
}

/** Browsers open as many at once. */
const mostOfOne = 6
const pacPath = '/proxy.pac'

/** Port 0: any that is free. @throws SetupProblem */
export async function listenForHttp(port: number, needs: LocalHttpNeeds): Promise<LocalProxy> {
  const forward = new Forward(needs)
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (asked, reply) => forward.request(asked, reply, own(server)))
  server.on('connect', (asked, socket) => void forward.connect(asked, socket as Socket))
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket)).on('error', () => undefined)
  })
  server.maxConnections = mostConnections
  server.on('drop', () => needs.tell(`more than ${mostConnections} connections`))
  await bind(server, port)
  server.on('error', (error) => needs.tell(`cannot accept: ${error.message}`))
  const close = () => {
    server.close()
    forward.close()
    for (const socket of open) socket.destroy()
  }
  return { port: own(server), close }
}

const own = (server: Server): number => (server.address() as AddressInfo).port

/** A session that was refused: what whoever waits for it is told. */
class NotOpened extends Error {
  readonly status: number

  constructor({ state, message }: Extract<Opened, { kind: 'refused' }>) {
    super(message)
    this.status = state === 'invalidAuthorization' ? 403 : 502
  }
}

class Forward {
  readonly #needs: LocalHttpNeeds
  readonly #agents = new Map<string, Agent>()
  readonly #closed = new AbortController()

  constructor(needs: LocalHttpNeeds) {
    this.#needs = needs
  }

  close(): void {
    this.#closed.abort()
    for (const agent of this.#agents.values()) agent.destroy()
  }

  async connect({ url = '' }: IncomingMessage, socket: Socket): Promise<void> {
    const { open, tell } = this.#needs
    const at = authorityOf(url)
    const name = at && this.#resource(at)
    if (name !== undefined) return this.#tunnel(socket, (...ends) => open(name, ...ends))
    tell(`CONNECT ${url}: it leads to no resource`)
    socket.end(answer(at ? 403 : 400, this.#leadsNowhere(at?.host ?? url)))
  }

  async #tunnel(socket: Socket, open: (gone: AbortSignal, ended: AbortSignal) => Promise<Opened>): Promise<void> {
    const { gone, ended, release } = holdBytes(socket)
    const opened = await open(gone, ended)
    const early = release()
    if (opened.kind === 'refused') return void socket.end(answer(new NotOpened(opened).status, opened.message))
    if (gone.aborted) return void opened.stream.destroy()
    socket.write(connectEstablished)
    opened.stream.write(early)
    splice(socket, opened.stream)
  }

  request(asked: IncomingMessage, reply: ServerResponse, port: number): void {
    const { url = '', method, headers } = asked
    const { hosts, beyond } = this.#needs
    reply.on('error', () => undefined)
    const target = URL.parse(url)
    const name = target?.protocol === 'http:' ? this.#resource(authorityIn(target)) : undefined
    // Pages of other sites may send a browser here under a name of theirs.
    const isPac = url === pacPath && method === 'GET' && headers.host === `127.0.0.1:${port}`
    if (isPac) tellPac(reply, pacFile([...hosts.keys()], beyond?.rules ?? [], port))
    else if (target?.protocol !== 'http:') tellPlainly(reply, 400, onlyForward)
    else if (name === undefined) tellPlainly(reply, 403, this.#leadsNowhere(target.hostname))
    else this.#pass(name, target, asked, reply)
  }

  #pass(name: string, { host, pathname, search }: URL, asked: IncomingMessage, reply: ServerResponse): void {
    const { method, rawHeaders } = asked
    const headers = ['Host', host, ...passing(rawHeaders, (field) => field === 'host')]
    const onward = ask({ agent: this.#agentFor(name), host: name, method, path: pathname + search, headers })
    onward.once('response', (answered) => {
      reply.writeHead(answered.statusCode ?? 502, answered.statusMessage, passing(answered.rawHeaders, noField))
      answered.once('error', () => reply.destroy()).pipe(reply)
    })
    onward.once('error', (error) => {
      if (reply.headersSent) reply.destroy()
      else if (error instanceof NotOpened) tellPlainly(reply, error.status, error.message)
      else tellPlainly(reply, 502, `${name} ended the connection.`)
    })
    reply.once('close', () => onward.destroy())
    asked.pipe(onward)
  }

  #resource(at: Authority): string | undefined {
    const { hosts, beyond } = this.#needs
    const name = targetName(at)
    return hosts.get(at.host) ?? (hostTarget(name) && beyond?.leads(name) ? name : undefined)
  }

  #leadsNowhere(host: string): string {
    const known = [...this.#needs.hosts.keys()]
    return `${host} leads to no resource here. These do: ${known.length === 0 ? 'none' : known.join(', ')}.`
  }

  #agentFor(name: string): Agent {
    const known = this.#agents.get(name)
    if (known) return known
    const agent = new Agent({ keepAlive: true, maxSockets: mostOfOne })
    const never = new AbortController().signal
    agent.createConnection = (_, done = () => undefined) => {
      void this.#needs.open(name, this.#closed.signal, never).then((opened) => {
        if (opened.kind === 'refused') done(new NotOpened(opened), undefined as unknown as Duplex)
        // Nobody speaks before it is asked; who was paused by hand is not set going by a listener.
        else done(null, opened.stream.resume())
      })
      return undefined
    }
    this.#agents.set(name, agent)
    return agent
  }
}

const noField = () => false
const onlyForward = 'This is a forward proxy: send it requests for http://HOST/ and CONNECT HOST:443.'

/** In lower case, without the dot of the root. */
function authorityOf(text: string): Authority | undefined {
  const parsed = parseHostPort(text.replace(/\.(?=:\d*$)/, ''))
  return parsed.kind === 'value' ? splitHostPort(parsed.value) : undefined
}

const authorityIn = ({ hostname, port }: URL): Authority => ({
  host: hostname.replace(/^\[|\]$|\.$/g, ''),
  port: port === '' ? 80 : Number(port),
})

const words: Readonly<Record<number, string>> = { 400: 'Bad Request', 403: 'Forbidden', 502: 'Bad Gateway' }

function answer(status: number, message: string): string {
  const body = `${message}\n`
  const head = [
    `HTTP/1.1 ${status} ${words[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

function tellPlainly(reply: ServerResponse, status: number, message: string): void {
  reply.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' }).end(`${message}\n`)
}

function tellPac(reply: ServerResponse, text: string): void {
  reply.writeHead(200, { 'Content-Type': 'application/x-ns-proxy-autoconfig', 'Cache-Control': 'no-store' }).end(text)
}
