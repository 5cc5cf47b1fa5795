/** The real edge behind TLS, as a proxy shows it, and a person with a passkey who answers in the browser. */

import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { base64url, utf8 } from '../../core/lib/bytes.ts'
import type { Authenticator, RequestOptions } from '../authenticator.ts'
import { registerFirst, type Visitor } from '../client.ts'
import { newEdge, type TestEdge } from '../edge.ts'
import { approvalBody } from '../program.ts'
import { newCa, newLeaf } from './certificates.ts'
import { type Cli, newCli, type Running } from './run-cli.ts'

export const issuer = 'http://localhost:3080'

/** Answers instead of the edge where it gives one. */
export type Interference = (method: string, path: string) => { status?: number; json: unknown } | undefined

export interface Front {
  readonly edge: TestEdge
  readonly port: number
  readonly caPem: string
  readonly person: Person
  /** Everything that came in: what --debug must not show. */
  readonly received: {
    readonly head: Readonly<Record<string, unknown>>
    readonly path: string
    readonly body: string
  }[]
  interfere: Interference
  /** Changes what the edge answers on the way. */
  alter: (path: string, body: string) => string
  close(): void
}

export interface Person {
  readonly visitor: Visitor
  readonly passkey: Authenticator
}

/** With `takeSession` it speaks `sallyport` too, and hands such connections over. */
export async function newFront(
  takeSession?: (socket: TLSSocket) => void,
  names: readonly string[] = [],
): Promise<Front> {
  const edge = await newEdge({ origin: issuer })
  let instant = 1_800_000_000_000
  const tick = () => {
    edge.advance(Date.now() - instant)
    instant = Date.now()
  }
  tick()
  const [visitor, passkey] = [edge.visitor(), await edge.authenticator()]
  await registerFirst(visitor, await edge.offer(), passkey)
  const ca = await newCa()
  const leaf = await newLeaf(ca, { names: ['localhost', ...names] })
  const received: Front['received'] = []
  const front = {
    edge,
    caPem: ca.pem,
    person: { visitor, passkey },
    received,
    interfere: (() => undefined) as Interference,
    alter: ((_, text) => text) as Front['alter'],
  }
  const answer = async (asked: IncomingMessage, reply: ServerResponse) => {
    tick()
    const body = await buffer(asked)
    received.push({ head: asked.headers, path: asked.url ?? '', body: body.toString() })
    const given = front.interfere(asked.method ?? '', asked.url ?? '') ?? welcome(asked.url)
    if (given)
      return send(reply, given.status ?? 200, { 'content-type': 'application/json' }, JSON.stringify(given.json))
    const response = await edge.send(issuer + asked.url, {
      method: asked.method ?? 'GET',
      headers: headersOf(asked),
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    })
    send(
      reply,
      response.status,
      Object.fromEntries(response.headers),
      front.alter(asked.url ?? '', await response.text()),
    )
  }
  const http = createHttpServer((asked, reply) => void answer(asked, reply))
  const ALPNProtocols = takeSession ? ['http/1.1', 'sallyport'] : ['http/1.1']
  const options = { cert: leaf.pem + ca.pem, key: leaf.key, ALPNProtocols, allowHalfOpen: true }
  const open = new Set<TLSSocket>()
  const server = createTlsServer(options, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket)).on('error', () => undefined)
    if (socket.alpnProtocol === 'sallyport') takeSession?.(socket)
    else http.emit('connection', socket)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const close = () => {
    server.close()
    for (const socket of open) socket.destroy()
  }
  onTestFinished(close)
  return Object.assign(front, { port: (server.address() as AddressInfo).port, close })
}

const welcome = (path: string | undefined): ReturnType<Interference> =>
  path === '/.well-known/sallyport' ? { json: { issuer, methods: ['tls'], version: '0.1.0' } } : undefined

const headersOf = ({ headers: { host: _, connection: __, 'transfer-encoding': ___, ...headers } }: IncomingMessage) =>
  Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[name, value]] : [],
  )

function send(reply: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  const { 'content-length': _, ...rest } = headers
  reply.writeHead(status, rest).end(body)
}

/** A CLI that knows the CA as on the machine of `npm start`, and the flag that names the proxy. */
export function cliFor(
  front: Pick<Front, 'port' | 'caPem'>,
  env: Readonly<Record<string, string>> = {},
): Cli & { readonly proxy: string } {
  const cli = newCli(env)
  writeFileSync(join(cli.home, 'ca.pem'), front.caPem)
  return Object.assign(cli, { proxy: `--proxy=localhost:${front.port}` })
}

const page = /^(http:\/\/localhost:\d+\/\S+)\n/m

/** Opens the page that the CLI shows, approves or refuses, and lets the browser go where it is sent. */
export async function answerIn(
  running: Pick<Running, 'seen'>,
  { visitor, passkey }: Person,
  says: 'yes' | 'no' = 'yes',
): Promise<string> {
  const url = new URL((await running.seen(page))[1] ?? '')
  const location = await (url.pathname === '/approve' ? approveTap : approveLogin)(url, visitor, passkey, says)
  await fetch(location)
  return location
}

async function approveLogin(url: URL, visitor: Visitor, passkey: Authenticator, says: 'yes' | 'no'): Promise<string> {
  const request = Object.fromEntries(url.searchParams)
  const reply =
    says === 'yes'
      ? await visitor.post('/v1/authorize/finish', await approvalBody(visitor, passkey, request))
      : await visitor.post('/v1/authorize/refuse', { request })
  if (reply.status !== 200) throw new Error(`the page was answered ${reply.status}: ${reply.text}`)
  return (reply.json as { location: string }).location
}

async function approveTap(url: URL, visitor: Visitor, passkey: Authenticator, says: 'yes' | 'no'): Promise<string> {
  const { ticket = '', redirect_uri = '', state = '' } = Object.fromEntries(url.searchParams)
  if (says === 'no')
    return (await visitor.post('/v1/taps/refuse', { ticket, redirect_uri, state })).json.location as string
  const { options } = (await visitor.post('/v1/taps/options', { ticket })).json as { options: RequestOptions }
  const { id, response } = await passkey.get(options)
  const { clientDataJSON, authenticatorData, signature } = response
  const assertion = { id, response: { clientDataJSON, authenticatorData, signature } }
  const given = { tap: base64url(utf8(JSON.stringify({ ticket, assertion }))), state, iss: url.origin }
  return `${redirect_uri}?${new URLSearchParams(given)}`
}

/** A CLI that is signed in. */
export async function signedIn(
  front: Pick<Front, 'port' | 'caPem' | 'person'>,
  env: Readonly<Record<string, string>> = {},
) {
  const cli = cliFor(front, env)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--debug'])
  await answerIn(running, front.person)
  const ended = await running.ended
  if (ended.code !== 0) throw new Error(`login ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
  return Object.assign(cli, { ended, run: runAnswered(cli, front.person) })
}

/** A command whose page, if it shows one, the person approves. */
const runAnswered =
  (cli: Cli, person: Person): Cli['run'] =>
  async (args, input) => {
    const running = cli.start(args, input)
    const isOver = running.ended.then(() => undefined)
    await Promise.race([answerIn(running, person).catch(() => undefined), isOver])
    return running.ended
  }
