import { createHash, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { pinOf } from '../../../core/issue/pin.ts'

test('a pin is sha256: and the base64url of the SHA-256 of the key', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const expected = createHash('sha256').update(spki).digest('base64url')
  expect(pinOf(new Uint8Array(spki))).toBe(`sha256:${expected}`)
  expect(expected).toHaveLength(43)
})
