/** Requests to a certificate authority: https alone, bounded in time and size, and no redirect is followed. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { type Duration, seconds } from '../../core/model.ts'
import { AcmeFailure } from './failure.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** `json`: what is posted. @throws AcmeFailure */
export type Send = (method: 'GET' | 'HEAD' | 'POST', url: string, json?: object) => Promise<Reply>

const replyMs: Duration = seconds(30)
/** A chain of certificates is a few kilobytes. */
const mostBytes = 256 * 1024

/** `ca`: PEM of the authorities that its own TLS certificate may lead to; undefined: those that Node knows. `signal` ends all. */
export function makeSend(ca: string | undefined, signal: AbortSignal): Send {
  const agent = new Agent({ minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) })
  return async (method, url, json) => {
    if (!url.startsWith('https://') || !URL.canParse(url)) throw new AcmeFailure('it names an address without https')
    try {
      return await exchange(agent, method, url, json, AbortSignal.any([signal, AbortSignal.timeout(replyMs)]))
    } catch (error) {
      if (error instanceof AcmeFailure) throw error
      const { code, message } = error as Error & { code?: string }
      throw new AcmeFailure(`it is not reached (${code ?? message})`)
    }
  }
}

function exchange(
  agent: Agent,
  method: string,
  url: string,
  json: object | undefined,
  signal: AbortSignal,
): Promise<Reply> {
  return new Promise((done, fail) => {
    // RFC 8555 section 6.1 wants a name and section 6.2 the type.
    const headers = {
      'User-Agent': 'sallyport-proxy',
      ...(json && { 'Content-Type': 'application/jose+json' }),
    }
    const asking = request(url, { agent, method, headers, signal }, (answer) => {
      read(answer).then((body) => done({ status: answer.statusCode ?? 0, headers: answer.headers, body }), fail)
    })
    asking.on('error', fail)
    asking.end(json && JSON.stringify(json))
  })
}

async function read(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostBytes) throw new AcmeFailure('its answer is too large')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
