import { decodeJwt, exportSPKI, importJWK, type JWTPayload, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { base64url, fromBase64url, utf8 } from '../../core/lib/bytes.ts'
import { minutes, seconds } from '../../core/model.ts'
import { lastRefusal, newAdministrator, newLogin, type TestEdge } from '../edge.ts'
import { newAdmin, newPerson, type Person } from '../people.ts'
import { approve, askOf, newProofKey, parametersAt } from '../program.ts'

type Changes = {
  readonly header?: Record<string, unknown>
  readonly claims?: JWTPayload
  readonly key?: CryptoKey | Uint8Array
}

/** The good token with changes, signed by the cluster's own key unless another is given: each check must refuse by itself. */
async function forge({ edge, token }: Person, { header, claims, key }: Changes): Promise<string> {
  const current = await edge.ports.keyring.current()
  const protectedHeader = { alg: 'EdDSA', typ: 'at+jwt', kid: current.kid, ...header }
  return new SignJWT({ ...decodeJwt(token), ...claims }).setProtectedHeader(protectedHeader).sign(key ?? current.key)
}

const encoded = (json: unknown) => base64url(utf8(JSON.stringify(json)))
const unsigned = ({ token }: Person, header: Record<string, unknown>) =>
  `${encoded({ typ: 'at+jwt', ...header })}.${encoded(decodeJwt(token))}.`

const currentKid = async ({ edge }: Person) => (await edge.ports.keyring.current()).kid
const currentJwk = async ({ edge }: Person) => (await edge.ports.keyring.published())[0] ?? { x: '', kid: '' }
const otherKey = async () => (await newProofKey('EdDSA')).privateKey

/** HMAC with what everybody can read. */
async function confused(person: Person, secret: (jwk: { x: string; kid: string }) => Promise<Uint8Array> | Uint8Array) {
  const jwk = await currentJwk(person)
  return forge(person, { header: { alg: 'HS256', kid: jwk.kid }, key: await secret(jwk) })
}
const pemOf = async (jwk: { x: string }) =>
  exportSPKI((await importJWK({ kty: 'OKP', crv: 'Ed25519', x: jwk.x }, 'EdDSA', { extractable: true })) as CryptoKey)

/** Somebody who has the database and SALLYPORT_KEY could; the key must still not be believed before it is its turn. */
async function nextKey({ edge }: Person): Promise<{ kid: string; key: CryptoKey }> {
  const next = (await edge.ports.signingKeys.list()).find(({ activatedAt }) => activatedAt === undefined)
  const { kid = '', sealed } = next ?? {}
  const pkcs8 = sealed && (await edge.ports.keys.sealer.open(`signing key ${kid}`, sealed))
  if (!pkcs8) throw new Error('there is no next key')
  return { kid, key: await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']) }
}

const forged: Record<string, (person: Person) => Promise<string>> = {
  'alg none': async (person) => unsigned(person, { alg: 'none', kid: await currentKid(person) }),
  'alg NONE': async (person) => unsigned(person, { alg: 'NONE', kid: await currentKid(person) }),
  'HS256 and the raw public key': (person) => confused(person, ({ x }) => fromBase64url(x) ?? new Uint8Array()),
  'HS256 and the text of its x': (person) => confused(person, ({ x }) => utf8(x)),
  'HS256 and the public key as PEM': (person) => confused(person, async (jwk) => utf8(await pemOf(jwk))),
  'HS256 and the public key as JWK': (person) => confused(person, (jwk) => utf8(JSON.stringify(jwk))),
  'ES256 and a key of its own': async (person) =>
    forge(person, { header: { alg: 'ES256' }, key: (await newProofKey('ES256')).privateKey }),
  'another Ed25519 key': async (person) => forge(person, { key: await otherKey() }),
  'no kid': (person) => forge(person, { header: { kid: undefined } }),
  'an unknown kid': (person) => forge(person, { header: { kid: 'A'.repeat(43) } }),
  'the next key, which has not signed yet': async (person) => {
    const { kid, key } = await nextKey(person)
    return forge(person, { header: { kid }, key })
  },
  'a kid like a path': async (person) => forge(person, { header: { kid: '../../dev/null' }, key: await otherKey() }),
  'a kid like SQL': async (person) => forge(person, { header: { kid: "' union select 1 --" }, key: await otherKey() }),
  'a kid like a prototype’s member': (person) => forge(person, { header: { kid: '__proto__' } }),
  'a key of its own in the header': async (person) => {
    const { privateKey, jwk } = await newProofKey('EdDSA')
    return forge(person, { header: { jwk, kid: 'own' }, key: privateKey })
  },
  'a key of its own under our kid': async (person) => {
    const { privateKey, jwk } = await newProofKey('EdDSA')
    return forge(person, { header: { jwk, jku: 'https://evil.example/jwks' }, key: privateKey })
  },
  'a certificate in the header': async (person) =>
    forge(person, { header: { x5u: 'https://evil.example/x5u', x5c: ['AAAA'] }, key: await otherKey() }),
  'a crit that nobody knows': async (person) => {
    const good = await forge(person, {})
    return good.replace(
      /^[^.]+/,
      encoded({ alg: 'EdDSA', typ: 'at+jwt', kid: await currentKid(person), crit: ['x'], x: 1 }),
    )
  },
  'typ JWT': (person) => forge(person, { header: { typ: 'JWT' } }),
  'no typ': (person) => forge(person, { header: { typ: undefined } }),
  'another audience': (person) => forge(person, { claims: { aud: 'sallyport-cli' } }),
  'no audience': (person) => forge(person, { claims: { aud: undefined } as unknown as JWTPayload }),
  'another issuer': (person) => forge(person, { claims: { iss: 'https://evil.example' } }),
  'our issuer with a slash': (person) => forge(person, { claims: { iss: `${person.edge.site.origin}/` } }),
  'an end that is past': (person) => forge(person, { claims: { exp: person.edge.ports.now() / 1000 } }),
  'no end': (person) => forge(person, { claims: { exp: undefined } as unknown as JWTPayload }),
  'a beginning that is to come': (person) => forge(person, { claims: { nbf: person.edge.ports.now() / 1000 + 60 } }),
  'no session': (person) => forge(person, { claims: { sid: undefined } }),
  'a session that is a list': (person) => forge(person, { claims: { sid: [decodeJwt(person.token)['sid']] } }),
  'an unknown session': (person) => forge(person, { claims: { sid: 'A'.repeat(22) } }),
  'no key': (person) => forge(person, { claims: { cnf: undefined } }),
  'another key': async (person) => forge(person, { claims: { cnf: { jkt: (await newProofKey()).jkt } } }),
  'an altered signature': async ({ token }) => token.replace(/.{4}$/, 'AAAA'),
  'no signature': async ({ token }) => token.replace(/[^.]+$/, ''),
}

test.each(Object.entries(forged))('a token with %s is refused', async (_, make) => {
  const person = await newAdmin()
  const { edge, program } = person
  const reply = await program.call('GET', '/v1/me', await make(person))
  expect(reply).toMatchObject({ status: 401, json: { error: 'invalid_token' } })
  expect(reply.headers.get('www-authenticate')).toContain('error="invalid_token"')
  expect(['token_invalid', 'token_missing']).toContain(lastRefusal(edge))
})

test('the same token signed again as it was is accepted: each change above was refused for itself', async () => {
  const person = await newAdmin()
  expect((await person.program.call('GET', '/v1/me', await forge(person, {}))).status).toBe(200)
})

test('why a token is refused stays inside', async () => {
  const person = await newAdmin()
  const told = new Set<string>()
  for (const make of Object.values(forged)) {
    const { json } = await person.program.call('GET', '/v1/me', await make(person))
    if (lastRefusal(person.edge) === 'token_invalid') told.add(JSON.stringify([json.error, json.message]))
  }
  expect(told.size).toBe(1)
})

test('a token of one user with the session of another is refused, whichever way round', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob')
  const { sub } = decodeJwt(ada.token)
  expect((await bob.program.call('GET', '/v1/me', await forge(bob, { claims: { sub: sub ?? '' } }))).status).toBe(401)
  expect(lastRefusal(ada.edge)).toBe('token_invalid')
  const sid = decodeJwt(ada.token)['sid']
  expect((await bob.program.call('GET', '/v1/me', await forge(bob, { claims: { sid } }))).status).toBe(401)
  expect(lastRefusal(ada.edge)).toBe('token_invalid')
})

test('a token dies after ten minutes', async () => {
  const { edge, program, token } = await newAdmin()
  edge.advance(minutes(10) - seconds(1))
  expect((await program.call('GET', '/v1/me', token)).status).toBe(200)
  edge.advance(seconds(1))
  expect((await program.call('GET', '/v1/me', token)).status).toBe(401)
})

test('an ID token is no access token', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  expect((await program.call('GET', '/v1/me', tokens.id_token ?? '')).status).toBe(401)
  expect(lastRefusal(edge)).toBe('token_invalid')
})

test('nor is a refresh token, and an access token refreshes nothing', async () => {
  const { edge, program, token, refreshToken } = await newAdmin()
  expect((await program.call('GET', '/v1/me', refreshToken)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('token_invalid')
  expect(await program.refresh(token)).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
  expect(edge.rows('select generation, end_reason from client_sessions')).toEqual([{ generation: 1, end_reason: null }])
})

async function openidLogin(edge: TestEdge, ...[visitor, passkey]: [Person['visitor'], Person['passkey']]) {
  const program = await edge.program()
  const asked = askOf(program.key, { scope: 'openid' })
  const code = parametersAt((await approve(visitor, passkey, asked)).json.location).get('code') ?? ''
  return { program, tokens: (await program.token(program.codeForm(code, asked))).json }
}

test('who was let in with openid alone calls nothing, and no refresh widens that', async () => {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await openidLogin(edge, visitor, passkey)
  expect(await program.call('GET', '/v1/me', tokens.access_token)).toMatchObject({
    status: 403,
    json: { error: 'insufficient_scope' },
  })
  expect(lastRefusal(edge)).toBe('scope_insufficient')
  const wider = await program.token({ ...program.refreshForm(tokens.refresh_token), scope: 'openid api' })
  expect(wider.json.error).toBe('invalid_scope')
  const { json } = await program.refresh(tokens.refresh_token)
  expect((await program.call('GET', '/v1/me', json.access_token)).status).toBe(403)
})

test('the public half is all that is published', async () => {
  const { visitor } = await newAdministrator()
  for (const key of (await visitor.get('/oauth/jwks')).json.keys) {
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  }
})
