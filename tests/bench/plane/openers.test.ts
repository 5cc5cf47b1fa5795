import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyIn, openerOf } from './openers.ts'

describe('bodyIn', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'

  test('the body once it is whole', () => {
    for (let length = 0; length < answer.length; length++) expect(bodyIn(answer.slice(0, length))).toBeUndefined()
    expect(bodyIn(answer)).toBe('{}')
  })

  test('a tunnel has none', () => {
    expect(bodyIn('HTTP/1.1 200 Connection established\r\n\r\n')).toBe('')
  })

  test('a refusal is an error that says it', () => {
    expect(() => bodyIn('HTTP/1.1 403 Refused\r\n\r\n{"error":"grant_invalid"}')).toThrow('grant_invalid')
  })
})

test('openerOf opens no more than there are grants', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const shown = { key, token: 'token', grants: [], proxy: 'proxy' }
  const opener = openerOf({ by: 'grant', port: 1, ca: '', shown })
  expect(opener.left()).toBe(0)
  expect(() => opener.open('echo', () => undefined)).toThrow('no grant is left')
})
