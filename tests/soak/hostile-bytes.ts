/** Properties of all that reads bytes of strangers: `npm test` tries each some thousand times, `npm run soak` for minutes. */
import { deepStrictEqual, ok } from 'node:assert'
import fc from 'fast-check'
import { connectReader, parseConnect } from '../../core/route/connect.ts'
import { helloReader, parseHello } from '../../core/route/hello.ts'
import { captured, inspect } from '../../core/route/inspect.ts'
import { parsePostgres } from '../../core/route/postgres.ts'
import { encodeProxyV2 } from '../../core/route/proxy-header.ts'
import { ProxyHeaderReader, parseProxyHeader } from '../../core/route/proxy-header-reader.ts'
import { RequestHeadReader } from '../../core/route/request-head.ts'
import { sniff } from '../../core/route/sniff.ts'
import { HeaderStage } from '../../proxy/balancer.ts'
import type { Connection } from '../../proxy/connection.ts'
import { FirstBytes, HelloStage, refusedWires, Sniffing, type Stage } from '../../proxy/first-bytes.ts'
import { PlainConnect } from '../../proxy/plain-connect.ts'
import { PlainHttp } from '../../proxy/plain-http.ts'
import { alpn, bytesOf, bytesOfHex, join, message, messageIn, padding, records, sni } from '../core/hello-writer.ts'
import { helloVectors } from '../core/vectors.ts'

const real = helloVectors().map(({ hex }) => bytesOfHex(hex))
const connect = 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nProxy-Authorization: DPoP x\r\nDPoP: y\r\n\r\n'
const endpoints = {
  source: { address: '192.0.2.7', port: 51_000 },
  destination: { address: '198.51.100.1', port: 443 },
}
const samples = {
  hellos: [...real, records(message(sni('a.test'), alpn('h2'), padding(12_000)), 300)],
  heads: [
    bytesOf(connect),
    bytesOf('CONNECT a.test:443 HTTP/1.0\r\n\r\n'),
    bytesOf(`${connect}rest`),
    bytesOf('GET /.well-known/sallyport HTTP/1.1\r\nHost: a.test\r\nAuthorization: DPoP x\r\n\r\n'),
  ],
  postgres: [
    bytesOfHex('0000001d 00030000 757365720061006461746162617365006200 00'),
    bytesOfHex('00000008 04d2162f'),
    bytesOfHex('00000008 04d21630'),
    bytesOfHex('00000010 04d2162e 0102030405060708'),
  ],
  headers: [
    bytesOf('PROXY TCP4 192.0.2.7 198.51.100.1 51000 443\r\n'),
    bytesOf('PROXY TCP6 2001:db8::7 2001:db8::1 51000 443\r\n'),
    bytesOf('PROXY UNKNOWN\r\n'),
    encodeProxyV2(endpoints),
    encodeProxyV2({ ...endpoints, alpn: 'h2', authority: 'a.test', uniqueId: new Uint8Array(128) }),
    bytesOfHex('0d0a0d0a000d0a515549540a 20000000'),
    bytesOfHex('0d0a0d0a000d0a515549540a 211100130a0000010a000002c73801bb 03000400000000'),
  ],
}

/** A good one in which some bytes are other ones, and which may end early or go on. */
export const damaged = (good: readonly Uint8Array[]) =>
  fc
    .tuple(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      fc.nat(),
      fc.uint8Array({ maxLength: 40 }),
    )
    .map(([bytes, changes, cut, rest]) => {
      const copy = Uint8Array.from(bytes)
      for (const [at, byte] of changes) copy[at % copy.length] = byte
      return join(cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy, rest)
    })
const recut = fc
  .tuple(fc.constantFrom(...real), fc.integer({ min: 1, max: 600 }))
  .map(([wire, size]) => records(messageIn(wire), size))
const one = fc.oneof(fc.uint8Array({ maxLength: 300 }), recut, ...Object.values(samples).map((good) => damaged(good)))
/** Also two behind each other, as a header stands before a hello. */
const hostile = fc.oneof(
  one,
  fc.tuple(damaged(samples.headers), one).map(([first, then]) => join(first, then)),
)
/** Where to cut. */
const cuts = fc.array(fc.nat(700), { maxLength: 12 })

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

const heads = (bytes: Uint8Array) => new RequestHeadReader().push(bytes)
const readers = {
  sniff,
  parseHello,
  parseConnect,
  parsePostgres,
  parseProxyHeader,
  heads,
  front: (bytes: Uint8Array) => outcome([bytes]),
  inspect,
  captured,
}
const incremental = {
  hello: [helloReader, parseHello],
  connect: [connectReader, parseConnect],
  header: [() => new ProxyHeaderReader(), parseProxyHeader],
} as const

/** What the front makes of it, behind a header that may be there: up to an answer, since what comes before that is refused. */
function outcome(pieces: readonly Uint8Array[]): object {
  const taken: unknown[] = []
  const tls = (): Stage => new HelloStage((_, hello) => void taken.push(hello))
  const exposed = (_: unknown, credential: string) => void taken.push(credential)
  const sniffing = (): Stage =>
    new Sniffing({
      ...refusedWires,
      tls,
      connect: () => new PlainConnect({ isOurs: ({ port }) => port === 443, exposed, next: sniffing }),
      http: () => new PlainHttp({ exposed }),
    })
  const connection = { comesFrom: (...from: unknown[]) => void taken.push(from) } as unknown as Connection
  const first = new FirstBytes(new HeaderStage(connection, sniffing()))
  for (const piece of pieces.filter(({ length }) => length > 0)) {
    const step = first.push(piece)
    if (step.kind === 'answer' || (step.kind === 'refuse' && step.why === 'bytes_too_early')) return { answered: taken }
    if (step.kind === 'take') step.take(connection)
    if (step.kind !== 'more') return { kind: step.kind, why: step.kind === 'refuse' ? step.why : undefined, taken }
  }
  return { kind: 'more', taken }
}

const poisoned = (bytes: Uint8Array, poison: number): Uint8Array => {
  const around = new Uint8Array(bytes.length + 128).fill(poison)
  around.set(bytes, 64)
  return around.subarray(64, 64 + bytes.length)
}

const neverBeyond = Object.entries(readers).map(([name, read]) => {
  const holds = fc.property(hostile, fc.nat(255), (bytes, poison) => {
    deepStrictEqual(read(poisoned(bytes, poison)), read(Uint8Array.from(bytes)))
  })
  return [`${name} throws at nothing, and sees nothing before and behind`, holds] as const
})

const sameForAnyCut = Object.entries(incremental).map(([name, [make, whole]]) => {
  const holds = fc.property(hostile, cuts, (bytes, places) => {
    const reader = make()
    const answers = cut(bytes, places).map((piece) => reader.push(piece))
    const settled = answers.find(({ kind }) => kind !== 'more') ?? answers.at(-1)
    deepStrictEqual(settled, whole(bytes))
  })
  return [`${name}: any cut gives the same answer`, holds] as const
})

const frontForAnyCut = fc.property(hostile, cuts, (bytes, places) => {
  deepStrictEqual(outcome(cut(bytes, places)), outcome([bytes]))
})

const settles = Object.entries({ sniff, parseHello, parseConnect, parsePostgres, parseProxyHeader }).map(
  ([name, read]) => {
    const holds = fc.property(hostile, fc.uint8Array({ maxLength: 20 }), (bytes, rest) => {
      const answer = read(bytes)
      if (answer.kind === 'more') ok(answer.atLeast > bytes.length)
      else deepStrictEqual(read(join(bytes, rest)), answer)
    })
    return [`${name}: bytes that come later change no answer`, holds] as const
  },
)

/** More than the largest hello in its records. */
const farMore = 70_000
const endsSomewhere = fc.property(hostile, fc.nat(255), (bytes, filler) => {
  const whole = join(bytes, new Uint8Array(farMore).fill(filler))
  ok(!('kind' in outcome([whole])) || (outcome([whole]) as { kind: string }).kind !== 'more')
})

export const properties: readonly (readonly [name: string, holds: fc.IProperty<unknown>])[] = [
  ...neverBeyond,
  ...sameForAnyCut,
  ['the front: any cut gives the same answer', frontForAnyCut],
  ...settles,
  ['the front: nothing is waited for without end', endsSomewhere],
] as readonly (readonly [string, fc.IProperty<unknown>])[]
