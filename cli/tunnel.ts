/**
 * A connection to the proxy that becomes a session's tunnel (ALPN `sallyport`). It is held while the person taps, because the grant is
 * for this process of the proxy, and each proof is made over this very connection (RFC 9266's exporter, our label).
 */
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { object, text, whole } from '../core/api/shape.ts'
import type { Json } from '../core/intent.ts'
import { base64url, concat } from '../core/lib/bytes.ts'
import { addressText, parseAddress } from './address.ts'
import { wayOf } from './http-proxy.ts'
import { proofFor } from './oauth.ts'
import { type Exit, Problem } from './problem.ts'
import type { Profile } from './profiles.ts'
import { type Answer, parseAnswer } from './response.ts'
import { debug } from './term.ts'
import { asProblem, tlsOptions } from './trust.ts'

export interface Held {
  readonly proxy: { readonly id: string; readonly boot: string }
  /** Aborted, with a Problem, when the proxy ends the connection. */
  readonly lost: AbortSignal
  /** The tunnel: it allows half-open. @throws Problem */
  open(resource: string, grant: string): Promise<Duplex>
  /** A word for a password's place, which the proxy takes once within a minute, from this machine's address. It ends the connection. @throws Problem */
  bearer(grant: string): Promise<{ readonly handle: string; readonly lifeMs: number }>
  close(): void
}

const protocol = 'sallyport'
const dialPatienceMs = 10_000
const answerPatienceMs = 30_000

/** @throws Problem */
export async function holdConnection(profile: Profile, accessToken: string): Promise<Held> {
  const socket = await dial(profile)
  try {
    return await introduce(socket, profile, accessToken)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function dial({ proxy, ca }: Profile): Promise<TLSSocket> {
  const address = parseAddress(proxy)
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const versions = { minVersion: 'TLSv1.3', ALPNProtocols: [protocol] } satisfies ConnectionOptions
  const options = { ...tlsOptions(address, ca), ...versions, ...(await wayOf(address)), allowHalfOpen: true }
  const socket = connect(options, () => resolve(socket))
  // Heard for as long as it lives: `close` follows, and says what there is to say.
  socket.on('error', reject).setKeepAlive(true, 30_000).setNoDelay(true)
  const late = setTimeout(
    () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ERR_TIMED_OUT' })),
    dialPatienceMs,
  )
  debug(`connecting to ${addressText(address)} for a session`)
  try {
    await promise
  } catch (error) {
    if (/ALERT_NO_APPLICATION_PROTOCOL|ALERT_PROTOCOL_VERSION/.test((error as { code?: string }).code ?? ''))
      throw opensNone(error)
    throw await asProblem(address, error)
  } finally {
    clearTimeout(late)
  }
  if (socket.alpnProtocol === protocol) return socket
  socket.destroy()
  throw opensNone()
}

const opensNone = (cause?: unknown) =>
  new Problem(
    'unreachable',
    'what answers there opens no sessions',
    'check the address, and the version of the proxy',
    {
      cause,
    },
  )

const welcome = object({ issuer: text(2048), id: text(128), boot: text(128) })

async function introduce(socket: TLSSocket, profile: Profile, accessToken: string): Promise<Held> {
  const host = addressText(parseAddress(profile.proxy))
  const nonce = base64url(socket.exportKeyingMaterial(32, 'EXPORTER-sallyport', Buffer.alloc(0)))
  const proof = (method: string, target: string, token: string) =>
    proofFor(profile.key, { method, target: `sallyport://${target}`, accessToken: token, nonce })
  const path = '/.well-known/sallyport'
  const asked = { Authorization: `DPoP ${accessToken}`, DPoP: await proof('GET', host + path, accessToken) }
  const answer = await ask(socket, `GET ${path}`, { Host: host, ...asked })
  if (answer.status !== 200) throw refusalOf(answer)
  const { issuer, id, boot } = read(answer)
  if (issuer !== profile.issuer)
    throw new Problem('unreachable', 'the proxy names another issuer than at the login', 'sallyport login')
  return {
    proxy: { id, boot },
    lost: whenLost(socket),
    open: async (resource, grant) => {
      // Of a resource the port says nothing, and a host's name has its own.
      const authority = resource.includes(':') ? resource : `${resource}:443`
      const target = `${id}/${encodeURIComponent(resource)}`
      const shown = { 'Proxy-Authorization': `DPoP ${grant}`, DPoP: await proof('CONNECT', target, grant) }
      const opened = await ask(socket, `CONNECT ${authority}`, { Host: authority, ...shown })
      if (opened.status >= 300) throw refusalOf(opened)
      return socket
    },
    bearer: async (grant) => {
      const shown = {
        'Proxy-Authorization': `DPoP ${grant}`,
        DPoP: await proof('POST', `${id}${bearerPath}`, grant),
        'Content-Length': '0',
      }
      const answer = await ask(socket, `POST ${bearerPath}`, { Host: host, ...shown })
      if (answer.status !== 200) throw refusalOf(answer)
      const { handle, expires_in } = readBearer(answer)
      return { handle, lifeMs: expires_in * 1000 }
    },
    close: () => void socket.destroy(),
  }
}

const bearerPath = '/.well-known/sallyport/bearer'
const bearerAnswer = object({ handle: text(128), expires_in: whole })

function readBearer({ body }: Answer) {
  try {
    return bearerAnswer(JSON.parse(body) as Json, 'answer')
  } catch (cause) {
    throw new Problem('unreachable', 'the answer of the proxy makes no sense', 'use a sallyport of its version', {
      cause,
    })
  }
}

function read({ body }: Answer) {
  try {
    return welcome(JSON.parse(body) as Json, 'answer')
  } catch (cause) {
    throw new Problem('unreachable', 'the proxy does not say who it is', 'use a sallyport of its version', { cause })
  }
}

const ended = () => new Problem('unreachable', 'the proxy ended the connection', 'try again')

function whenLost(socket: TLSSocket): AbortSignal {
  const lost = new AbortController()
  const abort = () => lost.abort(ended())
  socket.once('end', abort).once('close', abort)
  return lost.signal
}

/** One request, and its answer. What follows a tunnel's head is left in the socket. @throws Problem */
async function ask(socket: TLSSocket, line: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
  if (!socket.writable || socket.readableEnded) throw ended()
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const answer = nextAnswer(socket, line.startsWith('CONNECT '))
  socket.write(`${line} HTTP/1.1\r\n${head.join('')}\r\n`)
  debug(`${line} over the connection`)
  const { status, body } = await answer
  debug(`${status}`)
  return { status, body }
}

function nextAnswer(socket: TLSSocket, opens: boolean): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  let bytes = new Uint8Array()
  const wrong = (why: string) =>
    new Problem('unreachable', `the answer of the proxy makes no sense (${why})`, 'try again')
  const read = (part: Uint8Array) => {
    bytes = concat(bytes, part)
    const parsed = parseAnswer(bytes, opens)
    if (parsed.kind === 'invalid') return reject(wrong(parsed.why))
    if (parsed.kind === 'more') return
    const { value, used } = parsed
    socket.off('data', read).pause()
    if (used < bytes.length) {
      if (!opens || value.status >= 300) return reject(wrong('more follows behind it'))
      socket.unshift(bytes.subarray(used))
    }
    resolve(value)
  }
  const gone = () => reject(ended())
  const late = setTimeout(
    () => reject(new Problem('unreachable', 'the proxy does not answer', 'try again')),
    answerPatienceMs,
  )
  socket.on('data', read).once('end', gone).once('close', gone).resume()
  return promise.finally(() => {
    clearTimeout(late)
    socket.off('data', read).off('end', gone).off('close', gone)
  })
}

const errorBody = object({ error: text(256), message: text(4096) })

/** The proxy's own sentence is what to do: it is for the person. */
function refusalOf({ status, body }: Answer): Problem {
  const { error, message } = errorIn(body)
  return new Problem(exitOf(status), `the proxy answered: ${error.replaceAll('_', ' ')} (status ${status})`, message)
}

function errorIn(body: string): { readonly error: string; readonly message: string } {
  try {
    return errorBody(JSON.parse(body) as Json, 'error')
  } catch {
    return { error: 'no reason', message: 'Try again; if it goes on, ask an administrator.' }
  }
}

function exitOf(status: number): Exit {
  if (status === 401) return 'signIn'
  if (status === 403 || status === 404) return 'refused'
  return status >= 502 && status <= 504 ? 'unreachable' : 'failed'
}
