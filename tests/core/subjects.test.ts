/** What ceremonies put into intents, and refresh tokens, against forms that were made without this code. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { requestSubject } from '../../core/access/subject.ts'
import { operations } from '../../core/api/operations.ts'
import { deriveKeys, parseSecret } from '../../core/keys.ts'
import type { Holder } from '../../core/model.ts'
import { cliSubjectOf } from '../../core/oauth/authorize.ts'
import { deviceSubjectOf } from '../../core/oauth/device-approval.ts'
import { parseRefreshToken, refreshTokenOf } from '../../core/oauth/refresh-token.ts'
import { intentVectors } from './vectors.ts'

const golden = intentVectors()
const subjectNamed = (start: string) => golden.intents.find(({ name }) => name.startsWith(start))?.intent.subject

test('cliSubjectOf names client, redirect, challenge and state by one hash', () => {
  const request = {
    client: { id: 'sallyport-cli', name: 'Sallyport CLI' },
    redirectUri: 'http://127.0.0.1:49152/callback',
    scope: 'openid api',
    state: 'af0ifjsldkj',
    nonce: 'not a part of it',
    codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' as Holder,
    wantsTap: true,
  }
  expect(cliSubjectOf(request, '2001:db8::7')).toEqual(subjectNamed('cli'))
})

test('deviceSubjectOf names client, user code and device code by one hash, and where the program asked from', () => {
  const ask = {
    clientId: 'sallyport-cli',
    userCode: 'BCDF-GHJK',
    hash: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' as Holder,
    scope: 'openid api',
    askedAt: 1,
    from: { address: '2001:db8::7', place: 'not a part of it', browser: 'nor this' },
    state: 'waiting' as const,
  }
  const canonical =
    '{"client_id":"sallyport-cli","device_code_hash":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","user_code":"BCDF-GHJK"}'
  expect(deviceSubjectOf(ask)).toEqual({
    flow: createHash('sha256').update(canonical).digest('base64url'),
    client_key: ask.jkt,
    scope: 'openid api',
    address: '2001:db8::7',
  })
})

test('requestSubject names the body by its canonical hash, whatever the order of its members', () => {
  const invite_key = {
    y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
    kty: 'EC',
    crv: 'P-256',
  }
  const body = { roles: ['access', 'db-reader'], invite_key, name: 'Bob' }
  const received = { parameters: {}, query: {}, json: body }
  expect(subjectNamed('admin: an invite')).toMatchObject(requestSubject(operations.userAdd, received))
})

test('refreshTokenOf and parseRefreshToken keep their form', () => {
  const secret = parseSecret(golden.sallyport_key)
  if (!secret) throw new Error('no secret')
  const { refresh } = deriveKeys(secret)
  const { id, generation, token } = golden.refresh_token
  expect(refreshTokenOf(refresh, id, generation)).toBe(token)
  expect(parseRefreshToken(refresh, token)).toEqual({ id, generation })
})
