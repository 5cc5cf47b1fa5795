/**
 * The HTTP proxy of the network, where it alone leads out: `HTTPS_PROXY` and `NO_PROXY`, as curl and Go read them. What passes it is TLS to
 * Sallyport's proxy, whose certificate is verified behind it like anywhere else: it learns the address, and no more.
 */
import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, getCACertificates } from 'node:tls'
import { concat } from '../core/lib/bytes.ts'
import { type Address, addressText, isLoopback } from './address.ts'
import { Problem } from './problem.ts'
import { variable } from './profile.ts'
import { parseOpening } from './response.ts'
import { debug } from './term.ts'

export interface HttpProxy extends Address {
  readonly isTls: boolean
  /** `Proxy-Authorization`, where the address has a user. */
  readonly authorization: string | undefined
}

type Read = (name: string) => string | undefined

const patienceMs = 10_000

/** Lower case first, as everywhere. This machine itself is never asked for by way of another. @throws Problem usage */
export function httpProxyFor(address: Address, read: Read = variable): HttpProxy | undefined {
  const of = (name: string) => read(name.toLowerCase()) ?? read(name)
  const text = of('HTTPS_PROXY') ?? of('ALL_PROXY')
  if (text === undefined || isLoopback(address) || isExempt(address, of('NO_PROXY') ?? '')) return undefined
  return parseHttpProxy(text)
}

function parseHttpProxy(text: string): HttpProxy {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  const isTls = url?.protocol === 'https:'
  if (!url || url.hostname === '' || !(isTls || url.protocol === 'http:')) {
    const hint = 'write http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host where it wants them'
    throw new Problem('usage', 'HTTPS_PROXY is not the address of an HTTP proxy', hint)
  }
  const user =
    url.username === '' ? undefined : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    isTls,
    authorization: user === undefined ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  }
}

/** `*`, a host, or a domain with all that is below it; each perhaps with a port. */
function isExempt({ host, port }: Address, list: string): boolean {
  const name = host.toLowerCase()
  return list.split(/[\s,]+/).some((entry) => {
    const [, pattern = '', only] =
      /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry.toLowerCase()) ?? []
    if (pattern === '' || (only !== undefined && Number(only) !== port)) return false
    const domain = pattern.replace(/^\*?\./, '').replace(/^\[|\]$/g, '')
    return pattern === '*' || name === domain || (isIP(name) === 0 && name.endsWith(`.${domain}`))
  })
}

/** Those that authorities of the system vouch for, and those that Node brings. */
export const systemRoots = (): string[] => [
  ...new Set([...getCACertificates('system'), ...getCACertificates('bundled')]),
]

/** For node:tls: where to connect, or over what. @throws Problem */
export async function wayOf(address: Address): Promise<ConnectionOptions> {
  const socket = await wayTo(address)
  return socket ? { socket } : { host: address.host, port: address.port }
}

/** undefined: straight there. A socket on which the next byte is of the address. @throws Problem */
async function wayTo(address: Address): Promise<Socket | undefined> {
  const proxy = httpProxyFor(address)
  if (!proxy) return undefined
  const shown = addressText(proxy)
  debug(`through the HTTP proxy ${shown}`)
  const socket = await dial(proxy)
  const late = setTimeout(
    () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ERR_TIMED_OUT' })),
    patienceMs,
  )
  try {
    await openThrough(socket, proxy, addressText(address))
    return socket
  } catch (error) {
    socket.destroy()
    throw error instanceof Problem ? error : unreachable(shown, error)
  } finally {
    clearTimeout(late)
  }
}

const unreachable = (shown: string, cause: unknown): Problem => {
  const code = (cause as { code?: string }).code ?? (cause as Error).message
  const why = code === 'ERR_TIMED_OUT' ? 'does not answer' : `cannot be reached (${code})`
  return new Problem(
    'unreachable',
    `the HTTP proxy ${shown} ${why}`,
    'check HTTPS_PROXY, or name the host in NO_PROXY',
    { cause },
  )
}

function dial({ host, port, isTls }: HttpProxy): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  // A tunnel's two directions end each for itself.
  const to = { host, port, allowHalfOpen: true }
  const tls = { ...to, servername: isIP(host) === 0 ? host : '', ca: systemRoots() }
  const socket: Socket = isTls ? connectTls(tls, () => resolve(socket)) : connect(to, () => resolve(socket))
  const late = Object.assign(new Error('no answer'), { code: 'ERR_TIMED_OUT' })
  const timer = setTimeout(() => socket.destroy(late), patienceMs)
  // Heard for as long as it lives: `close` follows, and says what there is to say.
  socket.on('error', reject)
  return promise
    .catch((error: unknown) => {
      throw unreachable(addressText({ host, port }), error)
    })
    .finally(() => clearTimeout(timer))
}

async function openThrough(socket: Socket, proxy: HttpProxy, authority: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let bytes = new Uint8Array()
  const read = (part: Uint8Array) => {
    bytes = concat(bytes, part)
    const parsed = parseOpening(bytes)
    if (parsed.kind === 'more') return
    if (parsed.kind === 'invalid') return reject(new Error(parsed.why))
    socket.off('data', read).pause()
    if (parsed.used < bytes.length) socket.unshift(bytes.subarray(parsed.used))
    resolve(parsed.status)
  }
  const gone = () => reject(new Error('it ended the connection'))
  socket.on('data', read).once('end', gone).once('error', reject)
  const shown = proxy.authorization === undefined ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${shown}\r\n`)
  const status = await promise.finally(() => socket.off('data', read).off('end', gone).off('error', reject))
  if (status >= 300) throw refused(addressText(proxy), status)
}

function refused(shown: string, status: number): Problem {
  const hint =
    status === 407
      ? 'put USER:PASSWORD@ before the host in HTTPS_PROXY'
      : 'ask who runs it whether it lets you reach that address and port, or name the host in NO_PROXY'
  return new Problem('unreachable', `the HTTP proxy ${shown} refuses the way (status ${status})`, hint)
}
