import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { utf8 } from '../../../core/lib/bytes.ts'
import { stepOf, totpForApp } from '../../../core/login/totp.ts'
import { newEdge } from '../../edge.ts'
import { codeAt } from '../../factors.ts'

/** RFC 6238 appendix B, SHA-1: the last six of its eight digits. */
const secret = utf8('12345678901234567890')
const vectors = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
] as const

test.each(vectors)('stepOf takes RFC 6238’s code at %i seconds, and answers its step', (seconds, code) => {
  expect(stepOf(secret, code.slice(2), seconds * 1000)).toBe(Math.floor(seconds / 30))
})

test('stepOf takes a code one step early and one late, as the step that it is of, and no other', () => {
  const now = 1_111_111_111_000
  const base32 = totpForApp(site, 'Ada', secret).secret
  const step = Math.floor(now / 30_000)
  for (const steps of [-1, 0, 1]) expect(stepOf(secret, codeAt(base32, now, steps), now)).toBe(step + steps)
  for (const steps of [-3, -2, 2, 3]) expect(stepOf(secret, codeAt(base32, now, steps), now)).toBeUndefined()
})

test('stepOf takes a code as people type it, and nothing that is none', () => {
  const now = 1_111_111_111_000
  for (const code of ['050 471', ' 050471 ']) expect(stepOf(secret, code, now), code).toBeDefined()
  for (const code of ['', '05047', '0504711', '14050471', '05047a', '٠٥٠٤٧١', '50471', '-50471'])
    expect(stepOf(secret, code, now), code).toBeUndefined()
  expect(stepOf(utf8('12345678901234567891'), '050471', now)).toBeUndefined()
})

const { site } = await newEdge()

test('totpForApp names site and person as apps read it (Key URI Format), and spells the key in base32', () => {
  const { uri, secret: typed } = totpForApp(site, 'Ada Ł & co', secret)
  expect(typed).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  const url = new URL(uri)
  expect(uri).toMatch(/^otpauth:\/\/totp\/access\.example\.com:Ada%20%C5%81%20%26%20co\?/)
  expect(Object.fromEntries(url.searchParams)).toEqual({
    ...{ issuer: 'access.example.com', secret: typed, algorithm: 'SHA1', digits: '6', period: '30' },
  })
})

const oathtool = '/usr/bin/oathtool'
test('stepOf agrees with oathtool', (context) => {
  if (!existsSync(oathtool)) return context.skip('oathtool is not installed')
  for (const [seconds] of vectors) {
    const at = new Date(seconds * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC')
    const key = Buffer.from(secret).toString('hex')
    const code = execFileSync(oathtool, ['--totp', '--now', at, key], { encoding: 'utf8' }).trim()
    expect(stepOf(secret, code, seconds * 1000)).toBe(Math.floor(seconds / 30))
  }
})
