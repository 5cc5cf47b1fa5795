/** Properties of all that reads hostile bytes: nothing throws, and how the bytes are cut into pieces decides nothing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify, mayDial, parseAddress, parseCidr } from '../../../core/route/address.ts'
import { connectReader, parseConnect } from '../../../core/route/connect.ts'
import { helloReader, parseHello } from '../../../core/route/hello.ts'
import { captured, inspect } from '../../../core/route/inspect.ts'
import { isAddressLiteral, normaliseSni } from '../../../core/route/name.ts'
import { parsePostgres } from '../../../core/route/postgres.ts'
import { sniff } from '../../../core/route/sniff.ts'
import { bytesOf, bytesOfHex, join, messageIn, records } from '../hello-writer.ts'
import { helloVectors } from '../vectors.ts'

const real = helloVectors().map(({ hex }) => bytesOfHex(hex))
const head = 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nProxy-Authorization: DPoP x\r\nDPoP: y\r\n\r\n'
const startup = bytesOfHex('0000001d 00030000 757365720061006461746162617365006200 00')
const heads = [
  bytesOf(head),
  bytesOf(head.replace('1.1', '1.0')),
  bytesOf(`${head}rest`),
  bytesOf('GET / HTTP/1.1\r\n'),
]
const starts = [startup, bytesOfHex('00000008 04d2162f'), bytesOfHex('00000010 04d2162e 0102030405060708')]

/** A good one in which some bytes are other ones, and which may end early or go on. */
const damaged = (good: readonly Uint8Array[]) =>
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
const hostile = fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged(real), recut, damaged(heads), damaged(starts))

/** Where to cut. */
const cuts = fc.array(fc.nat(700), { maxLength: 12 })

function pushed<Answer>(
  reader: { push(piece: Uint8Array): Answer },
  bytes: Uint8Array,
  places: readonly number[],
): Answer {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  const answers = ends.map((end, at) => reader.push(bytes.subarray(ends[at - 1] ?? 0, end)))
  return answers.at(-1) as Answer
}

const runs = { numRuns: 3_000 }

describe('hostile bytes never throw', () => {
  const readers = { sniff, parseHello, parseConnect, parsePostgres, inspect, captured, classify }

  test.each(Object.entries(readers))('%s', (_, read) => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        read(bytes)
      }),
      runs,
    )
  })

  test('text neither', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.ipV4(),
      fc.ipV6(),
      fc.domain(),
      fc.string({ unit: fc.constantFrom(...':.[]/0f1%') }),
    )
    fc.assert(
      fc.property(text, (word) => {
        normaliseSni(word)
        isAddressLiteral(word)
        parseCidr(word)
        parseAddress(word)
      }),
      runs,
    )
  })
})

describe('any cut into pieces gives the same answer', () => {
  test('of helloReader', () => {
    fc.assert(
      fc.property(hostile, cuts, (bytes, places) => {
        expect(pushed(helloReader(), bytes, places)).toEqual(parseHello(bytes))
      }),
      runs,
    )
  })

  test('of connectReader', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(heads), hostile), cuts, (bytes, places) => {
        expect(pushed(connectReader(), bytes, places)).toEqual(parseConnect(bytes))
      }),
      runs,
    )
  })
})

describe('bytes that come later change no answer', () => {
  const settled = { sniff, parseHello, parseConnect, parsePostgres }

  test.each(Object.entries(settled))('of %s', (_, read) => {
    fc.assert(
      fc.property(hostile, fc.uint8Array({ maxLength: 20 }), (bytes, rest) => {
        const answer = read(bytes)
        if (answer.kind !== 'more') expect(read(join(bytes, rest))).toEqual(answer)
        else expect(answer.atLeast).toBeGreaterThan(bytes.length)
      }),
      runs,
    )
  })
})

describe('names and addresses', () => {
  test('normaliseSni is its own fixed point', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ unit: fc.constantFrom(...'aB0-_.') })), (word) => {
        const name = normaliseSni(word)
        if (name !== undefined) expect(normaliseSni(name)).toBe(name)
      }),
      runs,
    )
  })

  test('parseAddress reads what URL reads, to the same bits', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text)
        const groups = Array.from(
          { length: 8 },
          (_, at) => ((address?.[at * 2] ?? 0) << 8) | (address?.[at * 2 + 1] ?? 0),
        )
        expect(new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).href).toBe(
          new URL(`http://[${text}]`).href,
        )
      }),
      runs,
    )
  })

  test('an IPv4 address is judged alike in every form that holds it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (four) => {
        const zeros = (count: number) => new Uint8Array(count)
        const wrapped = [
          join(zeros(10), bytesOfHex('ffff'), four),
          join(bytesOfHex('0064ff9b'), zeros(8), four),
          join(bytesOfHex('2002'), four, zeros(10)),
        ]
        for (const address of wrapped) {
          expect(classify(address)).toBe(classify(four))
          expect(mayDial(address, [])).toBe(mayDial(four, []))
        }
      }),
      runs,
    )
  })
})
