import fc from 'fast-check'
import { base64url as encoded } from 'jose'
import { describe, expect, test } from 'vitest'
import { verifyAccessToken } from '../../../core/oauth/access-token.ts'
import { Refusal } from '../../../core/refusal.ts'
import { newAdministrator, newLogin } from '../../edge.ts'

const { edge, passkey, visitor } = await newAdministrator()
const { tokens } = await newLogin(edge, visitor, passkey)
const [header = '', payload = '', signature = ''] = tokens.access_token.split('.')
const withHeader = (json: object) => `${encoded.encode(JSON.stringify(json))}.${payload}.${signature}`

const verify = (token: string) => verifyAccessToken(edge.site, edge.ports, token)

describe('verifyAccessToken', () => {
  test('answers whose it is, of which login, for which key', async () => {
    expect(await verify(tokens.access_token)).toMatchObject({ scope: 'openid api', userId: expect.any(String) })
  })

  test('refuses whatever else looks like a token, and throws nothing but that', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.string(), fc.string(), fc.string()).map((parts) => parts.join('.')),
      fc.jsonValue().map((json) => withHeader({ ...(json as object) })),
      fc.dictionary(fc.constantFrom('alg', 'typ', 'kid', 'crit', 'b64', 'jwk'), fc.jsonValue()).map(withHeader),
    )
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        await expect(verify(token)).rejects.toBeInstanceOf(Refusal)
      }),
    )
  })

  test('refuses one without a kid, with an unknown one, and with another algorithm', async () => {
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }
    for (const json of [
      { alg: 'EdDSA', typ: 'at+jwt' },
      { alg: 'EdDSA', typ: 'at+jwt', kid: 'unknown' },
      { alg: 'none', typ: 'at+jwt', kid },
      { alg: 'HS256', typ: 'at+jwt', kid },
      { alg: 'EdDSA', typ: 'JWT', kid },
    ])
      await expect(verify(withHeader(json)), JSON.stringify(json)).rejects.toMatchObject({ code: 'token_invalid' })
  })

  test('refuses the ID token: another type, for another audience', async () => {
    await expect(verify(tokens.id_token ?? '')).rejects.toMatchObject({ code: 'token_invalid' })
  })

  test('refuses one that was right a moment ago once its key is none of ours', async () => {
    expect(await verify(tokens.access_token)).toEqual(await verify(tokens.access_token))
    const keyring = { ...edge.ports.keyring, verifier: async () => undefined }
    const asked = verifyAccessToken(edge.site, { ...edge.ports, keyring }, tokens.access_token)
    await expect(asked).rejects.toMatchObject({ code: 'token_invalid' })
  })

  test('does not take a database that is down for a wrong token', async () => {
    const keyring = { ...edge.ports.keyring, verifier: () => Promise.reject(new Error('database is locked')) }
    const asked = verifyAccessToken(edge.site, { ...edge.ports, keyring }, tokens.access_token)
    await expect(asked).rejects.toThrow('database is locked')
  })
})
