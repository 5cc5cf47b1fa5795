/** The body of a ClientHello (RFC 8446 section 4.1.2), whole and out of its records. What it does not know it passes over. */
import type { Cursor } from '../lib/cursor.ts'
import {
  type ExtensionReason,
  isOuterEch,
  type KeyShare,
  readAlpn,
  readKeyShares,
  readSni,
  readVersions,
} from './hello-extensions.ts'

export interface ClientHello {
  /** As routed: lower case, no trailing dot. Undefined without one, or where the client named an address. */
  readonly sni: string | undefined
  /** In the client's order; empty when there is no such extension. */
  readonly alpn: readonly string[]
  readonly versions: readonly number[]
  readonly keyShares: readonly KeyShare[]
  readonly ech: boolean
  /** The client resumes a session. */
  readonly psk: boolean
  /** Bytes of the application follow the hello at once. */
  readonly earlyData: boolean
}

export type ClientHelloReason = ExtensionReason | 'extension_twice' | 'hello_malformed'

type Draft = { -readonly [field in keyof ClientHello]: ClientHello[field] }

/** IANA, "TLS ExtensionType Values". */
const types = {
  serverName: 0,
  alpn: 16,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  keyShare: 51,
  encryptedClientHello: 0xfe0d,
} as const

const longestSessionId = 32

export function readClientHello(body: Cursor): ClientHello | ClientHelloReason {
  const major = body.u16() >> 8
  body.skip(32)
  const sessionId = body.u8()
  body.skip(sessionId)
  const suites = body.u16()
  body.skip(suites)
  const compressions = body.u8()
  body.skip(compressions)
  const isSound = major === 3 && sessionId <= longestSessionId && suites >= 2 && suites % 2 === 0 && compressions > 0
  if (!isSound || body.isBroken) return 'hello_malformed'
  const hello = noExtensions()
  // TLS 1.2 and older may end here.
  if (body.left === 0) return hello
  const extensions = body.within(body.u16())
  return body.isSpent ? readExtensions(extensions, hello) : 'hello_malformed'
}

const noExtensions = (): Draft => ({
  sni: undefined,
  alpn: [],
  versions: [],
  keyShares: [],
  ech: false,
  psk: false,
  earlyData: false,
})

/** Each type once: of two, a service may take the other one (RFC 8446 section 4.2 forbids it). */
function readExtensions(extensions: Cursor, hello: Draft): ClientHello | ClientHelloReason {
  const seen = new Types()
  while (extensions.left > 0) {
    const type = extensions.u16()
    const length = extensions.u16()
    if (extensions.isBroken || length > extensions.left) return 'hello_malformed'
    if (!seen.add(type)) return 'extension_twice'
    const reason = readExtension(type, extensions, length, hello)
    if (reason !== undefined) return reason
  }
  return hello
}

/** Nearly all types that clients send are below 64, and bits for those: a Set alone was half of what reading a hello costs. */
class Types {
  #low = 0
  #high = 0
  #others: Set<number> | undefined

  /** Whether it is new. */
  add(type: number): boolean {
    if (type >= 64) return this.#addOther(type)
    const before = type < 32 ? this.#low : this.#high
    const bit = 1 << (type & 31)
    if (type < 32) this.#low |= bit
    else this.#high |= bit
    return (before & bit) === 0
  }

  #addOther(type: number): boolean {
    this.#others ??= new Set()
    const { size } = this.#others
    return this.#others.add(type).size > size
  }
}

function readExtension(type: number, extensions: Cursor, length: number, hello: Draft): ExtensionReason | undefined {
  switch (type) {
    case types.serverName: {
      const sni = readSni(extensions.within(length))
      if (typeof sni === 'string') return sni
      hello.sni = sni.name
      return undefined
    }
    case types.alpn: {
      const alpn = readAlpn(extensions.within(length))
      if (typeof alpn === 'string') return alpn
      hello.alpn = alpn
      return undefined
    }
    case types.supportedVersions: {
      const versions = readVersions(extensions.within(length))
      if (typeof versions === 'string') return versions
      hello.versions = versions
      return undefined
    }
    case types.keyShare: {
      const keyShares = readKeyShares(extensions.within(length))
      if (typeof keyShares === 'string') return keyShares
      hello.keyShares = keyShares
      return undefined
    }
    case types.encryptedClientHello:
      hello.ech = isOuterEch(extensions.within(length))
      return undefined
    case types.preSharedKey:
      hello.psk = true
      break
    case types.earlyData:
      hello.earlyData = true
      break
  }
  extensions.skip(length)
  return undefined
}
