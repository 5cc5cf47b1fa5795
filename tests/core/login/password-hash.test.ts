/** Hashing against the published vectors of each algorithm, and what a runtime does with hashes that it did not make. */
import { argon2Sync, pbkdf2Sync, scryptSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Bytes, utf8 } from '../../../core/lib/bytes.ts'
import { parsePhc, writePhc } from '../../../core/lib/phc.ts'
import { hashingWith, type Kdf, pbkdf2 } from '../../../core/login/password-hash.ts'
import { nodePasswords } from '../../../worker/node-passwords.ts'
import { quick } from '../../passwords.ts'

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))
const bytesOf = (hex: string): Bytes => new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const web = hashingWith([pbkdf2], random)
const node = nodePasswords(random)

describe('vectors', () => {
  test('pbkdf2 is RFC 7914 section 11’s PBKDF2-HMAC-SHA-256', async () => {
    expect(hex(await pbkdf2.derive(utf8('passwd'), utf8('salt'), { i: 1 }, 64))).toBe(
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
    )
    expect(hex(await pbkdf2.derive(utf8('Password'), utf8('NaCl'), { i: 80_000 }, 64))).toBe(
      '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
    )
  })

  test('verify takes RFC 7914 section 12’s scrypt, N=1024, r=8, p=16', async () => {
    const hash = bytesOf(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
    )
    const stored = writePhc({ name: 'scrypt', parameters: { ln: 10, r: 8, p: 16 }, salt: utf8('NaCl'), hash })
    expect(await node.verify('password', stored)).toBe(true)
    expect(await node.verify('Password', stored)).toBe(false)
  })

  test('the Argon2id that verify uses is RFC 9106 section 5.3’s', () => {
    const given = { memory: 32, passes: 3, parallelism: 4, tagLength: 32 }
    const tag = argon2Sync('argon2id', {
      ...given,
      message: Buffer.alloc(32, 1),
      nonce: Buffer.alloc(16, 2),
      secret: Buffer.alloc(8, 3),
      associatedData: Buffer.alloc(12, 4),
    })
    expect(hex(tag)).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659')
  })

  test('verify takes a hash of Argon2’s reference implementation', async () => {
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    expect(await node.verify('password', stored)).toBe(true)
    expect(await node.verify('passwore', stored)).toBe(false)
  })
})

describe('hash', () => {
  test('on Node is Argon2id with 19 MiB and two passes, and verifies', async () => {
    const stored = await node.hash('a password')
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    const { salt, hash } = parsePhc(stored)!
    const wanted = { message: 'a password', nonce: salt, memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }
    expect(hex(hash)).toBe(hex(argon2Sync('argon2id', wanted)))
    expect(await node.verify('a password', stored)).toBe(true)
    expect(await node.verify('a passwore', stored)).toBe(false)
  })

  test('by Web Cryptography is PBKDF2 with the 100,000 rounds that Workers take, and verifies', async () => {
    const stored = await web.hash('a password')
    expect(stored).toMatch(/^\$pbkdf2-sha256\$i=100000\$[\w+/]{22}\$[\w+/]{43}$/)
    const { salt, hash } = parsePhc(stored)!
    expect(hex(hash)).toBe(hex(pbkdf2Sync('a password', salt, 100_000, 32, 'sha256')))
    expect(await web.verify('a password', stored)).toBe(true)
    expect(await web.verify('a passwore', stored)).toBe(false)
  })

  test('has a salt of its own each time', async () => {
    expect(await web.hash('a password')).not.toBe(await web.hash('a password'))
  })

  test('takes two spellings of one text for one password (NFKC), and not two letter cases', async () => {
    const stored = await web.hash('Ångström ﬁt')
    expect(await web.verify('A\u030angstro\u0308m fit', stored)).toBe(true)
    expect(await web.verify('ångström fit', stored)).toBe(false)
  })
})

describe('verify', () => {
  test('on Node takes what any runtime makes', async () => {
    const salt = random(16)
    const hash = new Uint8Array(scryptSync('a password', salt, 32, { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 27 }))
    const scrypt = writePhc({ name: 'scrypt', parameters: { ln: 15, r: 8, p: 3 }, salt, hash })
    expect(await node.verify('a password', scrypt)).toBe(true)
    expect(await node.verify('a password', await web.hash('a password'))).toBe(true)
  })

  test('tells the operator of an algorithm that the runtime lacks, and costs what a comparison costs', async () => {
    const derived: unknown[] = []
    const counting: Kdf = {
      ...quick,
      derive: (...given) => {
        derived.push(given[2])
        return quick.derive(...given)
      },
    }
    const poor = hashingWith([counting], random)
    const argon2 = await node.hash('a password')
    for (const stored of [argon2, 'damaged']) {
      const refused = { code: 'password_unreadable', detail: { algorithm: stored === argon2 ? 'argon2id' : 'unknown' } }
      await expect(poor.verify('a password', stored)).rejects.toMatchObject(refused)
    }
    expect(derived).toEqual([quick.parameters, quick.parameters])
  })

  test.each([
    '$argon2id$v=19$m=4294967,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=2,p=1,x=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$scrypt$ln=31,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$pbkdf2-sha256$i=100001$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$pbkdf2-sha256$i=1000$c29tZXNhbHQ$CTFhFQ',
  ])('spends nothing beyond its bounds on %s', async (stored) => {
    await expect(node.verify('password', stored)).rejects.toMatchObject({ code: 'password_unreadable' })
  })
})

describe('isOutdated', () => {
  test('tells what hash would make otherwise, and nothing else', async () => {
    expect(node.isOutdated(await node.hash('a password'))).toBe(false)
    expect(web.isOutdated(await web.hash('a password'))).toBe(false)
    const weaker = await node.hash('a password').then((stored) => stored.replace('t=2', 't=1'))
    for (const stored of [weaker, await web.hash('a password'), 'damaged']) expect(node.isOutdated(stored)).toBe(true)
  })
})

test('nobodys is a hash by the first algorithm with its parameters, and no password’s', async () => {
  expect(node.nobodys).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$A{22}\$A{43}$/)
  expect(node.isOutdated(node.nobodys)).toBe(false)
  expect(await web.verify('', web.nobodys)).toBe(false)
})
