/**
 * What a client speaks, from its first bytes. Each signature is compared byte by byte, so a client whose first message is
 * short is never waited for, and one that cannot be anything known is told so at its first wrong byte.
 */

export type Wire =
  | 'tls'
  | 'sslv2'
  | 'connect'
  | 'http'
  | 'ssh'
  | 'proxy-v1'
  | 'proxy-v2'
  | 'postgres-ssl'
  | 'postgres-gssenc'
  | 'postgres-cancel'
  | 'postgres-startup'

export type Sniffed =
  | { readonly kind: 'match'; readonly wire: Wire }
  | { readonly kind: 'no' }
  | { readonly kind: 'more'; readonly atLeast: number }

/** A byte, some bytes, or any byte. */
type Expected = number | ((byte: number) => boolean)

const any = () => true
const text = (word: string): Expected[] => [...word].map((character) => character.charCodeAt(0))
const isLong = (byte: number) => (byte & 0x80) !== 0
const isSslVersion = (byte: number) => byte === 0 || byte === 3
/** Below 10,240: Postgres itself takes 10,000 bytes. */
const isShort = (byte: number) => byte < 40

/** PROXY protocol, section 2.2. */
const proxyV2 = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
/** RFC 9110 section 9.3, RFC 5789, and the preface of HTTP/2 (RFC 9113 section 3.4). */
const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PRI']

/** No signature is the beginning of another one, so their order decides nothing. */
const signatures: readonly (readonly [Wire, readonly Expected[]])[] = [
  // RFC 8446 section 5.1: a handshake record of any version that says 3.
  ['tls', [0x16, 3]],
  // RFC 6101 appendix E: a length of two bytes with the high bit, CLIENT-HELLO, version 0.2 or 3.x.
  ['sslv2', [isLong, any, 1, isSslVersion]],
  ['connect', text('CONNECT ')],
  ...verbs.map((verb) => ['http', text(`${verb} `)] as const),
  ['ssh', text('SSH-')],
  ['proxy-v1', text('PROXY ')],
  ['proxy-v2', proxyV2],
  // PostgreSQL, "Message Formats": the length, then a code in place of a version.
  ['postgres-ssl', [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]],
  ['postgres-gssenc', [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]],
  ['postgres-cancel', [0, 0, isShort, any, 0x04, 0xd2, 0x16, 0x2e]],
  ['postgres-startup', [0, 0, isShort, any, 0, 3]],
]

const longest = Math.max(...signatures.map(([, expected]) => expected.length))

/** Looks at the first bytes of a connection, at most twelve. */
export function sniff(bytes: Uint8Array): Sniffed {
  const seen = Math.min(bytes.length, longest)
  let isOpen = false
  for (const [wire, expected] of signatures) {
    if (!agrees(bytes, seen, expected)) continue
    if (expected.length <= seen) return { kind: 'match', wire }
    isOpen = true
  }
  return isOpen ? { kind: 'more', atLeast: seen + 1 } : { kind: 'no' }
}

function agrees(bytes: Uint8Array, seen: number, expected: readonly Expected[]): boolean {
  const end = Math.min(seen, expected.length)
  for (let i = 0; i < end; i++) {
    const want = expected[i] as Expected
    const byte = bytes[i] as number
    if (typeof want === 'number' ? byte !== want : !want(byte)) return false
  }
  return true
}
