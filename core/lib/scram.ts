/**
 * SCRAM-SHA-256 as a client speaks it (RFC 5802, RFC 7677): neither side shows the other the password, and the server proves that it
 * knows it too. A Postgres server knows the name already, so it is empty here.
 */
import { type Bytes, concat, equalBytes, utf8 } from './bytes.ts'
import { hmac, hmacKey, sha256 } from './hash.ts'

/** How the exchange is tied to its TLS (RFC 5929): `offered` is the hash of the server's certificate where both sides take it. */
export type ScramBinding = { readonly kind: 'none' | 'unoffered' } | { readonly kind: 'offered'; readonly data: Bytes }

/** RFC 7677 section 4. Above, a server keeps its clients busy. */
const iterations = { least: 4096, most: 1_000_000 } as const
/** What stands in a message beside its comma: printable (RFC 5802 section 7). */
const serverFirst = /^r=([!-+\x2d-~]{1,256}),s=([A-Za-z0-9+/]{4,344}={0,2}),i=(\d{1,7})$/
const serverFinal = /^v=([A-Za-z0-9+/]{43}=)$/

export class ScramClient {
  readonly #password: string
  readonly #nonce: string
  readonly #binding: ScramBinding
  readonly #user: string
  #serverSignature: Bytes | undefined

  /** `password`: printable ASCII, which RFC 4013 leaves as it is. `nonce`: printable, without commas, new each time. */
  constructor(password: string, nonce: string, binding: ScramBinding, user = '') {
    this.#password = password
    this.#nonce = nonce
    this.#binding = binding
    this.#user = user
  }

  get first(): string {
    return this.#header + this.#bare
  }

  get #bare(): string {
    return `n=${this.#user},r=${this.#nonce}`
  }

  /** RFC 5802 section 7, gs2-header. `y`: we would, and the server did not offer it. */
  get #header(): string {
    const { kind } = this.#binding
    return kind === 'offered' ? 'p=tls-server-end-point,,' : kind === 'unoffered' ? 'y,,' : 'n,,'
  }

  /** undefined: what the server said is none of it. */
  async final(message: string): Promise<string | undefined> {
    const [, nonce = '', salt = '', count = ''] = serverFirst.exec(message) ?? []
    const rounds = Number(count)
    const isOurs = nonce.startsWith(this.#nonce) && nonce.length > this.#nonce.length
    if (!isOurs || rounds < iterations.least || rounds > iterations.most) return undefined
    const data = this.#binding.kind === 'offered' ? this.#binding.data : new Uint8Array()
    const withoutProof = `c=${base64(concat(utf8(this.#header), data))},r=${nonce}`
    const signed = utf8(`${this.#bare},${message},${withoutProof}`)
    const salted = hmacKey(await saltedPassword(this.#password, fromBase64(salt), rounds))
    const clientKey = hmac(salted, utf8('Client Key'))
    this.#serverSignature = hmac(hmacKey(hmac(salted, utf8('Server Key'))), signed)
    const signature = hmac(hmacKey(sha256(clientKey)), signed)
    return `${withoutProof},p=${base64(clientKey.map((byte, at) => byte ^ (signature[at] as number)))}`
  }

  /** Whether whoever says this knows the password. */
  isServer(message: string): boolean {
    const [, signature] = serverFinal.exec(message) ?? []
    const wanted = this.#serverSignature
    return signature !== undefined && wanted !== undefined && equalBytes(fromBase64(signature), wanted)
  }
}

/** RFC 8018 section 5.2. */
async function saltedPassword(password: string, salt: Bytes, rounds: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', utf8(password), 'PBKDF2', false, ['deriveBits'])
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }
  return new Uint8Array(await crypto.subtle.deriveBits(derivation, key, 256))
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
const fromBase64 = (text: string): Bytes => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
