import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, utf8 } from '../../../core/lib/bytes.ts'
import { sealerOf } from '../../../core/lib/seal.ts'

const sealer = sealerOf(new Uint8Array(32).fill(1))
const nonce = new Uint8Array(12).fill(2)
const secret = utf8('a private key')
const sealed = await sealer.seal('signing key 1', nonce, secret)

describe('sealerOf', () => {
  test('seals as AES-256-GCM does (node:crypto made the other), the nonce in front, the tag behind', () => {
    const cipher = createCipheriv('aes-256-gcm', new Uint8Array(32).fill(1), nonce)
    cipher.setAAD(Buffer.from('signing key 1'))
    const content = Buffer.concat([cipher.update(secret), cipher.final()])
    expect(Buffer.from(sealed)).toEqual(Buffer.concat([nonce, content, cipher.getAuthTag()]))
  })

  test('opens what it sealed, any length and any use', async () => {
    const anyBytes = fc.uint8Array({ maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), anyBytes, async (about, plain) => {
        const bytes = new Uint8Array(plain)
        expect(await sealer.open(about, await sealer.seal(about, nonce, bytes))).toEqual(bytes)
      }),
    )
  })

  test('opens nothing for another use, or under another key', async () => {
    for (const about of ['', 'signing key 2', 'signing key 1\0', 'Signing key 1'])
      expect(await sealer.open(about, sealed), about).toBeUndefined()
    expect(await sealerOf(new Uint8Array(32).fill(3)).open('signing key 1', sealed)).toBeUndefined()
  })

  test('opens nothing with a bit altered, anywhere', async () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = sealed.slice()
      altered[bit >> 3]! ^= 1 << (bit & 7)
      expect(await sealer.open('signing key 1', altered), `bit ${bit}`).toBeUndefined()
    }
  })

  test('opens nothing that is cut or longer, and nothing at all, without throwing', async () => {
    const wrong: Bytes[] = Array.from({ length: sealed.length }, (_, length) => sealed.slice(0, length))
    for (const bytes of [...wrong, new Uint8Array([...sealed, 0])])
      expect(await sealer.open('signing key 1', bytes), `${bytes.length} bytes`).toBeUndefined()
  })

  test('takes a nonce of 12 bytes only', async () => {
    for (const length of [0, 11, 13, 16])
      await expect(sealer.seal('x', new Uint8Array(length), secret)).rejects.toThrow(/12 bytes/)
  })
})
