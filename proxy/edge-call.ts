/** What the proxy itself asks of the edge: JSON there and back, proven by the proxy's key, with a deadline and a limit. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Json } from '../core/intent.ts'
import { utf8 } from '../core/lib/bytes.ts'
import { type Duration, seconds } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { proveRequest } from '../core/proxy-proof.ts'
import type { Identity } from './identity.ts'

export interface EdgeCaller {
  post(path: string, body: Json): Promise<Json>
  get(path: string): Promise<Json>
}

/** It has answered, and not with 200. */
export class EdgeAnswer extends Error {
  override readonly name = 'EdgeAnswer'
  readonly status: number

  constructor(status: number, text: string) {
    super(`the edge answered ${status}: ${text.slice(0, 200)}`)
    this.status = status
  }
}

interface Given {
  readonly edge: URL
  readonly publicUrl: URL
  readonly identity: Pick<Identity, 'id' | 'key'>
  readonly now: Ports['now']
}

const deadline: Duration = seconds(5)
/** A snapshot of ten thousand users is a few megabytes. */
const longestAnswer = 64 * 1024 * 1024

/** Every failure is an error whose message says what the operator should know. */
export function makeEdgeCaller({ edge, publicUrl, identity, now }: Given): EdgeCaller {
  const ask = (method: string, path: string, headers: Record<string, string>, body?: Uint8Array) =>
    new Promise<Json>((done, fail) => {
      const start = edge.protocol === 'https:' ? httpsRequest : httpRequest
      const options: RequestOptions = {
        // Brackets are how a URL writes IPv6, not how a socket wants it.
        hostname: edge.hostname.replace(/^\[|\]$/g, ''),
        port: edge.port,
        method,
        path,
        agent: false,
        headers: { Host: publicUrl.host, Accept: 'application/json', ...headers },
        signal: AbortSignal.timeout(deadline),
      }
      const asking = start(options, (answer) => readAnswer(answer).then(done, fail))
      asking.on('error', fail)
      asking.end(body)
    })
  return {
    get: (path) => ask('GET', path, {}),
    post: async (path, json) => {
      const body = utf8(JSON.stringify(json))
      const asked = { method: 'POST', url: publicUrl.origin + path, body }
      const proof = await proveRequest(identity.key, identity.id, asked, now())
      return ask(
        'POST',
        path,
        { 'Content-Type': 'application/json', 'Content-Length': String(body.length), 'Sallyport-Proxy': proof },
        body,
      )
    },
  }
}

async function readAnswer(answer: IncomingMessage): Promise<Json> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length
    if (length > longestAnswer) throw new Error(`the edge answered more than ${longestAnswer} bytes`)
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  if (answer.statusCode !== 200) throw new EdgeAnswer(answer.statusCode ?? 0, text)
  return JSON.parse(text) as Json
}
