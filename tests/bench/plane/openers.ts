/** The ways into a contender: a ClientHello alone, TLS that ends there, or our whole way with a grant. */
import { createPrivateKey, type JsonWebKey, randomUUID } from 'node:crypto'
import { type ConnectionOptions, createSecureContext, type TLSSocket } from 'node:tls'
import { base64url, utf8 } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import { encoded, signed } from '../program.ts'
import { Link } from './link.ts'
import { hello, type Part, startup, welcome } from './wire.ts'

/** What is shown to our proxy. */
export interface Shown {
  /** The private half as well. */
  readonly key: JsonWebKey
  readonly token: string
  /** One opens one tunnel. */
  readonly grants: readonly string[]
  readonly proxy: string
}

export type Reach =
  | { readonly by: 'hello'; readonly port: number }
  | { readonly by: 'tls'; readonly port: number; readonly ca: string }
  | { readonly by: 'grant'; readonly port: number; readonly ca: string; readonly shown: Shown }

export interface Opener {
  /** Calls `opened` when the backend has welcomed it. */
  open(part: Part, opened: (link: Link) => void): void
  /** How many more there can be. */
  left(): number
}

export const resource = 'pg-1'
const host = '127.0.0.1'
const protocol = 'sallyport'

export function openerOf(reach: Reach): Opener {
  if (reach.by === 'hello') return { open: byHello(reach.port), left: () => Number.POSITIVE_INFINITY }
  const options = tlsTo(reach)
  if (reach.by === 'tls') return { open: byTls(options), left: () => Number.POSITIVE_INFINITY }
  return byGrant(options, reach.shown, reach.port)
}

/** Every contender agrees on the same: what this side offers is one suite, one group, no ticket. */
export function tlsTo({ port, ca }: { readonly port: number; readonly ca: string }): ConnectionOptions {
  const fixed = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: 'X25519' } as const
  const secureContext = createSecureContext({ ca, ...fixed })
  return { host, port, servername: 'localhost', secureContext, ...fixed, ALPNProtocols: [protocol] }
}

const isWelcome = (bytes: Buffer): true | undefined => (bytes.length >= welcome.length ? true : undefined)

const byHello = (port: number): Opener['open'] => {
  return (part, opened) => {
    const link = Link.plain({ host, port })
    link.next(isWelcome, () => opened(link))
    link.socket.write(Buffer.concat([hello, startup(part)]))
  }
}

const byTls = (options: ConnectionOptions): Opener['open'] => {
  return (part, opened) => {
    const link: Link = Link.tls(options, () => begin(link, part, opened))
  }
}

function begin(link: Link, part: Part, opened: (link: Link) => void): void {
  link.next(isWelcome, () => opened(link))
  link.socket.write(startup(part))
}

function byGrant(options: ConnectionOptions, shown: Shown, port: number): Opener {
  const grants = [...shown.grants]
  const prover = proverOf(shown)
  const open: Opener['open'] = (part, opened) => {
    const grant = grants.pop()
    if (grant === undefined) throw new Error('no grant is left')
    const link: Link<TLSSocket> = Link.tls(options, () => {
      const exporter = exporterOf(link)
      ask(link, discovery(port, shown.token, prover, exporter), () =>
        ask(link, connecting(shown.proxy, grant, prover, exporter), () => begin(link, part, opened)),
      )
    })
  }
  return { open, left: () => grants.length }
}

/** Which process answers, as it says it to whoever has a token. */
export function discover(reach: Omit<Extract<Reach, { by: 'grant' }>, 'by'>): Promise<{ id: string; boot: string }> {
  const { port, shown } = reach
  return new Promise((done) => {
    const link: Link<TLSSocket> = Link.tls(tlsTo(reach), () => {
      ask(link, discovery(port, shown.token, proverOf(shown), exporterOf(link)), (body) => {
        link.close()
        done(JSON.parse(body))
      })
    })
  })
}

const exporterOf = ({ socket }: Link<TLSSocket>) =>
  socket.exportKeyingMaterial(32, 'EXPORTER-sallyport', Buffer.alloc(0)).toString('base64url')

type Prover = (claims: {
  readonly htm: string
  readonly htu: string
  readonly nonce: string
  readonly ath?: string
}) => string

/** RFC 9449 section 4.2. */
export function proverOf({ key }: Pick<Shown, 'key'>): Prover {
  const { x = '', y = '' } = key
  const header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x, y } })
  const privateKey = createPrivateKey({ key, format: 'jwk' })
  return (claims) => signed(privateKey, header, { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
}

function discovery(port: number, token: string, prove: Prover, nonce: string): string {
  const path = `localhost:${port}/.well-known/sallyport`
  const ath = base64url(sha256(utf8(token)))
  const proof = prove({ htm: 'GET', htu: `sallyport://${path}`, nonce, ath })
  return head('GET /.well-known/sallyport', `localhost:${port}`, { Authorization: `DPoP ${token}`, DPoP: proof })
}

export function connecting(proxy: string, grant: string, prove: Prover, nonce: string): string {
  const proof = prove({ htm: 'CONNECT', htu: `sallyport://${proxy}/${resource}`, nonce })
  const shown = { 'Proxy-Authorization': `DPoP ${grant}`, DPoP: proof }
  return head(`CONNECT ${resource}:443`, `${resource}:443`, shown)
}

const head = (line: string, to: string, fields: Readonly<Record<string, string>>): string =>
  `${[`${line} HTTP/1.1`, `Host: ${to}`, ...Object.entries(fields).map((field) => field.join(': '))].join('\r\n')}\r\n\r\n`

/** One request, and the body of its answer. */
function ask(link: Link, request: string, answered: (body: string) => void): void {
  link.next((bytes) => bodyIn(bytes.toString('latin1')), answered)
  link.socket.write(request)
}

/** undefined: not whole yet. @throws Error where it is no success */
export function bodyIn(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(`the proxy answered: ${text}`)
  const body = text.slice(end + 4)
  return body.length < Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0) ? undefined : body
}
