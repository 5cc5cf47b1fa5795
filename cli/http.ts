/** Requests to the proxy, and to nobody else: TLS with the trust of the profile, no redirects, bounded answers. */
import { Agent, type RequestOptions, request } from 'node:https'
import { type ConnectionOptions, connect } from 'node:tls'
import { type Address, originOf } from './address.ts'
import { wayOf } from './http-proxy.ts'
import { Problem } from './problem.ts'
import { debug } from './term.ts'
import { asProblem, type Trust, tlsOptions } from './trust.ts'

const longestAnswer = 16 * 1024 * 1024
const patienceMs = 30_000

/** As oauth4webapi's customFetch wants it, and as much of fetch as anybody here needs. */
export type Fetch = (
  url: string,
  options?: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly signal?: AbortSignal | undefined
  },
) => Promise<Response>

/** What the edge calls by its issuer's origin is asked for at the proxy. Any other origin is our own mistake or an attack. */
export function fetchThrough(address: Address, trust: Trust, issuer?: string): Fetch {
  const agent = agentFor(address)
  const origins = [originOf(address), ...(issuer === undefined ? [] : [new URL(issuer).origin])]
  return async (given, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = new URL(given)
    if (!origins.includes(url.origin)) {
      throw new Problem('failed', `the edge names an address of somebody else (${url.origin})`, 'ask its administrator')
    }
    const options: RequestOptions = {
      ...tlsOptions(address, trust),
      host: address.host,
      port: address.port,
      agent,
      path: url.pathname + url.search,
      method,
      headers: { ...headers },
      signal,
      timeout: patienceMs,
    }
    const since = performance.now()
    debug(`${method} ${url.pathname}${namesOnly(url)}`)
    const answer = await exchange(options, bodyText(body)).catch(async (error: unknown) => {
      throw await asProblem(address, error)
    })
    debug(`${answer.status} after ${Math.round(performance.now() - since)} ms`)
    return answer
  }
}

/** By the way that the network has. */
function agentFor(address: Address): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  agent.createConnection = (options, done = () => undefined) => {
    wayOf(address).then(
      (way) => done(null, connect({ ...(options as ConnectionOptions), ...way })),
      (error: Error) => done(error, undefined as never),
    )
    return undefined
  }
  return agent
}

/** For --debug: which parameters there are, never what they hold. */
const namesOnly = (url: URL) =>
  url.search === '' ? '' : `?${[...url.searchParams.keys()].map((name) => `${encodeURIComponent(name)}=...`).join('&')}`

const bodyText = (body: unknown): string | undefined =>
  body === undefined || body === null ? undefined : typeof body === 'string' ? body : String(body as URLSearchParams)

function exchange(options: RequestOptions, body: string | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asked = request(options, (answer) => {
      const parts: Buffer[] = []
      let size = 0
      answer.on('data', (part: Buffer) => {
        size += part.length
        if (size > longestAnswer) asked.destroy(new Problem('failed', 'the answer is too long', 'ask for less'))
        parts.push(part)
      })
      answer.once('error', reject)
      answer.once('end', () => resolve(responseOf(answer.statusCode ?? 0, answer.headers, Buffer.concat(parts))))
    })
    const late = Object.assign(new Error('no answer'), { code: 'ERR_TIMED_OUT' })
    asked.once('timeout', () => asked.destroy(late))
    asked.once('error', reject)
    asked.end(body)
  })
}

/** These never have a body, and Response refuses one. */
const bodiless = [204, 205, 304]

function responseOf(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, body: Buffer) {
  const pairs = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    [value].flat().flatMap((one): [string, string][] => (one === undefined ? [] : [[name, one]])),
  )
  return new Response(bodiless.includes(status) ? null : new Uint8Array(body), { status, headers: pairs })
}
