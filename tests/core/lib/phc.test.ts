import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePhc, writePhc } from '../../../core/lib/phc.ts'

test('parsePhc reads the example of the PHC string format, and writePhc writes it', () => {
  const text = '$argon2id$v=19$m=65536,t=2,p=1$gZiV/M1gPc22ElAH/Jh1Hw$CWOrkoo7oJBQ/iyh7uJ0LO2aLEfrHwTWllSAxT0zRno'
  const phc = parsePhc(text)
  expect(phc).toMatchObject({ name: 'argon2id', version: 19, parameters: { m: 65_536, t: 2, p: 1 } })
  expect([phc?.salt.length, phc?.hash.length]).toEqual([16, 32])
  expect(writePhc(phc!)).toBe(text)
})

test('writePhc and parsePhc are each other’s inverse', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((given) => new Uint8Array(given))
  fc.assert(
    fc.property(bytes, bytes, fc.nat(2 ** 31), (salt, hash, i) => {
      const phc = { name: 'pbkdf2-sha256', parameters: { i }, salt, hash }
      expect(parsePhc(writePhc(phc))).toEqual(phc)
    }),
  )
})

test.each([
  '',
  'plain text',
  '$2b$12$abcdefghijklmnopqrstuuJ1dHVkCM3kZB9dVTRuBaD0C6cZ1n5Pe',
  '$scrypt$ln=15,r=8$c2FsdA',
  '$scrypt$ln=15,r=8$c2FsdA$aGFzaA$more',
  '$scrypt$ln=-1$c2FsdA$aGFzaA',
  '$scrypt$ln=99999999999$c2FsdA$aGFzaA',
  '$scrypt$ln=15$c2FsdB$aGFzaA',
  '$scrypt$ln=15$c2FsdA==$aGFzaA==',
])('parsePhc reads nothing out of %j', (text) => {
  expect(parsePhc(text)).toBeUndefined()
})
