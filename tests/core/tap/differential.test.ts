/**
 * verifyTap against @simplewebauthn/server: what we accept, it accepts, with the same counter and flags. Where only it
 * accepts, the case stands in a table with its reason; a new difference, either way, fails.
 */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { fromBase64url } from '../../../core/lib/bytes.ts'
import { parseCbor } from '../../../core/lib/cbor.ts'
import { authenticatorDataOf, hashOf, join, type Signer, signers, text64 } from '../signer.ts'
import { accepted, laxer, refusedByBoth, stricter, stricterOnVectors } from './differences.ts'
import { authenticatorDataEdits, clientDataEdits, coseEdits, derEdits, origin, rpId } from './edits.ts'
import { type Assertion, type Expected, ours, theirs } from './judges.ts'
import { type Case, publishedCases } from './published.ts'

/** Vectors have challenges of their own, which are the hash of no intent: in this file an intent's id is its challenge. */
vi.mock('../../../core/intent.ts', async (original) => ({
  ...(await original<object>()),
  challengeOf: ({ id }: { id: string }) => fromBase64url(id),
}))

const cases = publishedCases()

describe('on the published vectors', () => {
  test('there are 15 of the W3C and 6 of SimpleWebAuthn', () => {
    expect(cases).toHaveLength(21)
  })

  test.each(cases.map((one) => [one.name, one] as const))(
    '%s is judged alike, or stands in a table',
    async (name, one) => {
      const [our, their] = [await ours(one, one.expected), await theirs(one, one.expected)]
      expect(their === undefined).toBe(refusedByBoth[name] !== undefined)
      if (stricterOnVectors[name] !== undefined) expect(our).toBeUndefined()
      else expect(our).toEqual(their)
    },
  )

  test('user verification is wanted where the purpose says so', async () => {
    for (const one of cases) {
      const expected = { ...one.expected, purpose: 'login' } as const
      const [our, their] = [await ours(one, expected), await theirs(one, expected)]
      const verified = ((one.authenticatorData[32] ?? 0) & 4) !== 0
      if (!verified) expect([our, their], one.name).toEqual([undefined, undefined])
      else if (stricterOnVectors[one.name] === undefined) expect(our, one.name).toEqual(their)
    }
  })
})

const challenge = text64(hashOf('a challenge'))
const expected: Expected = { challenge, origin, rpId, purpose: 'login' }
const plainClientData = Buffer.from(clientDataEdits(challenge)['plain'] as string)
const plainData = authenticatorDataEdits['plain']!

/** Signs what it is given; what is left out is plain. */
function signed(signer: Signer, { clientData = plainClientData, authenticatorData = plainData } = {}): Assertion {
  const signature = signer.sign(join(authenticatorData, hashOf(clientData)))
  return { cose: signer.cose, clientData, authenticatorData, signature }
}

/** Judges each edit by both, and answers the names of those that only the library, only we, or both accept. */
async function compare(edits: readonly (readonly [name: string, Assertion])[]) {
  const found: Record<'onlyTheirs' | 'onlyOurs' | 'both', string[]> = { onlyTheirs: [], onlyOurs: [], both: [] }
  for (const [name, assertion] of edits) {
    const about = 'expected' in assertion ? (assertion as Case).expected : expected
    const [our, their] = [await ours(assertion, about), await theirs(assertion, about)]
    if (our && their) expect(our, name).toEqual(their)
    if (our || their) found[our && their ? 'both' : our ? 'onlyOurs' : 'onlyTheirs'].push(name)
  }
  return found
}

const listed = (tables: typeof stricter, kind: string, name: string) =>
  Object.keys({ ...tables[kind], ...tables[`${kind} of ${name}`] }).sort()

/** COSE_Key entries of the signer's key, as pairs. */
function entriesOf({ cose }: Signer) {
  const parsed = parseCbor(cose)
  return parsed.kind === 'value' ? [...(parsed.value as Map<number, number | Uint8Array<ArrayBuffer>>)] : []
}

const editsOf: Readonly<Record<string, (signer: Signer) => readonly (readonly [string, Assertion])[]>> = {
  'client data': (signer) =>
    Object.entries(clientDataEdits(challenge)).map(([name, content]) => {
      return [name, signed(signer, { clientData: Buffer.from(content as string) })] as const
    }),
  'authenticator data': (signer) =>
    Object.entries(authenticatorDataEdits).map(([name, authenticatorData]) => [
      name,
      signed(signer, { authenticatorData }),
    ]),
  flags: (signer) =>
    Array.from({ length: 256 }, (_, flags) => [
      flags.toString(2),
      signed(signer, { authenticatorData: authenticatorDataOf(rpId, flags) }),
    ]),
  'flags before extensions': (signer) =>
    Array.from({ length: 256 }, (_, flags) => [
      flags.toString(2),
      signed(signer, { authenticatorData: authenticatorDataOf(rpId, flags, 1, new Uint8Array([0xa0])) }),
    ]),
  key: (signer) => {
    const entries = entriesOf(signer)
    return Object.entries(coseEdits(signer.cose, entries)).map(([name, cose]) => [name, { ...signed(signer), cose }])
  },
  signature: (signer) => {
    // A published signature, as ours would have another r at each run.
    const [plain] = signer.name === 'ES256' ? cases : []
    return plain
      ? Object.entries(derEdits(plain.signature)).map(([name, signature]) => [name, { ...plain, signature }])
      : []
  },
}

describe.each(signers.map((signer) => [signer.name, signer] as const))('with %s', (name, signer) => {
  test.each(Object.keys(editsOf))('every edit of the %s', async (kind) => {
    const { onlyTheirs, onlyOurs, both } = await compare(editsOf[kind]!(signer))
    expect(onlyTheirs.sort()).toEqual(listed(stricter, kind, name))
    expect(onlyOurs.sort()).toEqual(listed(laxer, kind, name))
    expect(both.length, `accepted: ${both}`).toBe(accepted[kind] ?? accepted[`${kind} of ${name}`] ?? 0)
  })
})

const members = ['clientData', 'authenticatorData', 'signature', 'cose'] as const
interface Mutation {
  readonly base: number
  readonly member: (typeof members)[number]
  readonly how: 'flip' | 'set' | 'cut' | 'append' | 'insert' | 'remove' | 'repeat'
  readonly at: number
  readonly bytes: Uint8Array
  /** Before the signature, where the key is ours; else after it. */
  readonly early: boolean
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  base: fc.nat(99),
  member: fc.constantFrom(...members, 'clientData' as const, 'authenticatorData' as const),
  how: fc.constantFrom('flip', 'flip', 'flip', 'set', 'cut', 'append', 'insert', 'remove', 'repeat'),
  at: fc.nat(0xffff),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(new Uint8Array([0xa0]), new Uint8Array(1)),
  ),
  early: fc.constantFrom(true, true, false),
})

/** The members of an assertion, one of them altered. */
function mutate(bytes: Uint8Array, { how, at, bytes: more }: Mutation): Uint8Array<ArrayBuffer> {
  const place = at % (bytes.length + 1)
  const [before, after] = [bytes.slice(0, place), bytes.slice(place)]
  const here = after.slice(0, 1)
  if (how === 'cut') return join(before)
  if (how === 'append') return join(bytes, more)
  if (how === 'insert') return join(before, more, after)
  if (how === 'remove') return join(before, after.slice(more.length))
  if (how === 'repeat') return join(before, after, after)
  const value = how === 'set' ? more.slice(0, here.length) : here.map((byte) => byte ^ (1 << (at & 7)))
  return join(before, value, after.slice(1))
}

function mutated(one: Mutation): Case {
  const base = one.base
  const vector = cases[base]
  if (vector) return { ...vector, [one.member]: mutate(vector[one.member], one) }
  const signer = signers[base % signers.length] as Signer
  const plain = { clientData: plainClientData, authenticatorData: plainData }
  const early = one.early && (one.member === 'clientData' || one.member === 'authenticatorData')
  if (early)
    return {
      name: 'own',
      expected,
      ...signed(signer, { ...plain, [one.member]: mutate(plain[one.member as 'clientData'], one) }),
    }
  const whole = signed(signer)
  return { name: 'own', expected, ...whole, [one.member]: mutate(whole[one.member], one) }
}

test('what we accept of thousands of mutations, the library accepts as well and reads alike', async () => {
  const counts = { ours: 0, theirs: 0 }
  await fc.assert(
    fc.asyncProperty(mutation, async (one) => {
      const assertion = mutated(one)
      const our = await ours(assertion, assertion.expected)
      const their = await theirs(assertion, assertion.expected)
      counts.ours += our ? 1 : 0
      counts.theirs += their ? 1 : 0
      if (our) expect(our).toEqual(their)
    }),
    { seed: 8, numRuns: 6000 },
  )
  expect(counts.ours).toBeGreaterThan(80)
  expect(counts.theirs).toBeGreaterThan(counts.ours)
})
