/** Properties of all that reads hostile bytes: nothing throws, and how the bytes are cut into pieces decides nothing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify, mayDial, parseAddress, parseCidr } from '../../../core/route/address.ts'
import { isAddressLiteral, normaliseSni } from '../../../core/route/name.ts'
import { properties } from '../../soak/hostile-bytes.ts'
import { bytesOfHex, join } from '../hello-writer.ts'

/** The same ones each time; `npm run soak` tries others. */
const runs = { numRuns: 2_000, seed: 20_261_201 }

test.each(properties)('%s', (_, holds) => fc.assert(holds, runs))

test('text throws neither', () => {
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
