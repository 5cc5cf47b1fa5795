/**
 * `GET http://NAME/`, as a forward-proxy client asks for a page without TLS: no CONNECT, but the whole URL and its word. It is one session with
 * one request. Its head is written anew, so that neither the word nor the URL's form goes on.
 */
import { request as ask, type IncomingMessage } from 'node:http'
import { duplexPair } from 'node:stream'
import { type Authority, parseHostPort, splitHostPort } from '../core/access/host-port.ts'
import { targetName } from '../core/access/host-target.ts'
import { passwordIn } from '../core/route/basic.ts'
import type { Bearers } from './bearers.ts'
import type { Exchange } from './exchange.ts'
import { bodyFraming, passing, valuesOf } from './headers.ts'
import { Lane } from './lane.ts'
import { Opening, type OpeningNeeds } from './opening.ts'
import { challenge, TunnelAnswers } from './tunnel-answers.ts'
import { shownByWord } from './word-grant.ts'

export interface WordNeeds extends OpeningNeeds {
  readonly bearers: Bearers
}

interface Asked {
  readonly host: string
  readonly target: Authority
  readonly path: string
}

const absolute = /^http:\/\/([^/?#@]+)([/?][^#]*)?$/i

export const isOfForwardProxy = (url: string): boolean => /^http:\/\//i.test(url)

function parse({ url = '', rawHeaders }: IncomingMessage): Asked | undefined {
  const [, authority = '', rest = '/'] = absolute.exec(url) ?? []
  const parsed = parseHostPort(/:\d+$/.test(authority) ? authority : `${authority}:80`)
  const hosts = valuesOf(rawHeaders, 'host')
  // RFC 9112 section 3.2: one Host, and it says what the target says.
  if (parsed.kind === 'invalid' || hosts.length !== 1 || hosts[0]?.toLowerCase() !== authority.toLowerCase()) {
    return undefined
  }
  return { host: authority, target: splitHostPort(parsed.value), path: rest.startsWith('/') ? rest : `/${rest}` }
}

/** `waits`: the client sends its body once it is told to. */
export function passByWord(needs: WordNeeds, exchange: Exchange, waits: boolean): void {
  const { request } = exchange
  const asked = parse(request)
  const body = bodyFraming(request.rawHeaders, request.httpVersion)
  if (!asked) return void exchange.refuse('target_not_a_path')
  if (body === 'framing_ambiguous' || body === 'coding_unknown') return void exchange.refuse(body)
  if (request.headers.upgrade !== undefined) return void exchange.refuse('upgrade_unsupported')
  const [credential, ...others] = valuesOf(request.rawHeaders, 'proxy-authorization')
  const word = others.length === 0 ? passwordIn(credential) : undefined
  if (word === undefined) return void exchange.refuse('proxy_credential_missing', { headers: closing(challenge) })
  void new WordRequest(needs, exchange).open(asked, word, waits)
}

/** One word, one request: what the client sends next on this connection is not read. */
const closing = (headers: Readonly<Record<string, string>>) => ({ ...headers, Connection: 'close' })

class WordRequest {
  readonly #needs: WordNeeds
  readonly #exchange: Exchange

  constructor(needs: WordNeeds, exchange: Exchange) {
    this.#needs = needs
    this.#exchange = exchange
  }

  async open(asked: Asked, word: string, waits: boolean): Promise<void> {
    const exchange = this.#exchange
    const { connection, response } = exchange
    const { world } = this.#needs
    const [ours, theirs] = duplexPair({ allowHalfOpen: true })
    const lane = new Lane({ connection, log: world.log, reset: () => void theirs.destroy(new Error('reset')) })
    theirs.once('close', () => (theirs.readableEnded && theirs.writableFinished ? undefined : ours.destroy()))
    ours.once('close', () => ours.writableFinished || theirs.destroy(new Error('the request was given up')))
    for (const end of [ours, theirs]) end.on('error', () => undefined)
    const answers = new TunnelAnswers({
      world,
      of: lane,
      exchange,
      send: ({ status, body, headers }) => exchange.answer(status, body, closing(headers)),
    })
    const opening = new Opening(this.#needs, lane, theirs)
    response.once('close', () => opening.abandon())
    const showed = { place: 'tunnel', target: targetName(asked.target), address: connection.address } as const
    try {
      await opening.open(shownByWord(this.#needs.bearers, word, showed), () => {
        if (waits) response.writeContinue()
        this.#send(asked, ours)
      })
      await opening.run()
    } catch (error) {
      if (!response.headersSent && !response.destroyed) answers.refuseFor(error)
    }
  }

  #send({ host, path }: Asked, socket: ReturnType<typeof duplexPair>[0]): void {
    const { request, response, limits } = this.#exchange
    // The session's own limits hold from here on.
    this.#exchange.clear('exchange')
    const headers = ['Host', host, ...passing(request.rawHeaders, (name) => name === 'host'), 'Connection', 'close']
    if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked')
    const { method = 'GET' } = request
    const onward = ask({ createConnection: () => socket, method, path, headers, maxHeaderSize: limits.headBytes })
    onward.once('response', (answer) => this.#answer(answer))
    onward.once('error', () => this.#brokeOff())
    // Answered in full, the session ends as its service does: what is left of it must be read for that.
    response.once('close', () => (response.writableFinished ? socket.resume() : onward.destroy()))
    request.pipe(onward)
  }

  #answer(answer: IncomingMessage): void {
    const { response } = this.#exchange
    answer.once('error', () => this.#exchange.breakOff('answer_broke_off'))
    const fields = [...passing(answer.rawHeaders, () => false), 'Connection', 'close']
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, fields)
    answer.pipe(response)
  }

  /** Before its answer has begun nothing of it can look complete. */
  #brokeOff(): void {
    const { response } = this.#exchange
    if (response.headersSent) this.#exchange.breakOff('answer_broke_off')
    else if (!response.destroyed) this.#exchange.refuse('upstream_broke_off', { headers: closing({}) })
  }
}
