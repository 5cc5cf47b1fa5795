import { CompactSign, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { base64url, fromBase64url, utf8 } from '../../core/lib/bytes.ts'
import { lastRefusal, newAdministrator, newLogin } from '../edge.ts'
import type { Program, ProofParts } from '../program.ts'

async function loggedIn() {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  return { edge, program, token: tokens.access_token, refreshToken: tokens.refresh_token }
}
type Scene = Awaited<ReturnType<typeof loggedIn>>

/** As a coordinate, 32 bytes. */
const one = `${'A'.repeat(42)}E`
const encoded = (json: unknown) => base64url(utf8(JSON.stringify(json)))
const partsOf = (proof: string) => proof.split('.') as [header: string, claims: string, signature: string]
const goodProof = ({ program, token }: Scene, more: Partial<ProofParts> = {}) =>
  program.proof('GET', '/v1/me', { accessToken: token, ...more })

/** The good proof under another header, signed by whatever `sign` does. */
async function under(
  scene: Scene,
  header: Record<string, unknown>,
  sign: (input: string) => Promise<string> = async () => '',
) {
  const [, claims] = partsOf(await goodProof(scene))
  const input = `${encoded({ typ: 'dpop+jwt', jwk: scene.program.key.jwk, ...header })}.${claims}`
  return `${input}.${await sign(input)}`
}

const hs256 = (secret: Uint8Array<ArrayBuffer>) => async (input: string) => {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return base64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(input))))
}

async function rs256(scene: Scene): Promise<string> {
  const pair = await generateKeyPair('RS256', { extractable: true })
  const header = { alg: 'RS256', typ: 'dpop+jwt', jwk: await exportJWK(pair.publicKey) }
  return new SignJWT(decodeJwt(await goodProof(scene))).setProtectedHeader(header).sign(pair.privateKey)
}

/** Rightly signed, but no object. */
function list({ program: { key } }: Scene): Promise<string> {
  const header = { alg: key.alg, typ: 'dpop+jwt', jwk: key.jwk }
  return new CompactSign(utf8('["GET"]')).setProtectedHeader(header as { alg: string }).sign(key.privateKey)
}

const privatePart = async ({ privateKey }: Program['key']) => (await exportJWK(privateKey)).d

const forged: Record<string, (scene: Scene) => Promise<string>> = {
  'alg none': (scene) => under(scene, { alg: 'none' }),
  'alg None': (scene) => under(scene, { alg: 'None' }),
  'HS256 with the public key as secret': (scene) =>
    under(scene, { alg: 'HS256' }, hs256(utf8(JSON.stringify(scene.program.key.jwk)))),
  'HS256 with the x of the public key as secret': (scene) =>
    under(scene, { alg: 'HS256' }, hs256(fromBase64url(scene.program.key.jwk.x) ?? new Uint8Array())),
  'an oct key of its own': (scene) =>
    under(scene, { alg: 'HS256', jwk: { kty: 'oct', k: encoded('secret') } }, hs256(utf8('"secret"'))),
  'RS256, which is right in itself': rs256,
  'EdDSA named for a P-256 key': async (scene) => goodProof(scene).then((proof) => renamed(proof, { alg: 'EdDSA' })),
  'no alg': async (scene) => goodProof(scene).then((proof) => renamed(proof, { alg: undefined })),
  'the private part in its jwk': async (scene) =>
    goodProof(scene, { header: { jwk: { ...scene.program.key.jwk, d: await privatePart(scene.program.key) } } }),
  'no jwk': (scene) => goodProof(scene, { header: { jwk: undefined } }),
  'a jwk that is a text': (scene) => goodProof(scene, { header: { jwk: JSON.stringify(scene.program.key.jwk) } }),
  'a jwk that is not on the curve': (scene) =>
    goodProof(scene, { header: { jwk: { kty: 'EC', crv: 'P-256', x: one, y: one } } }),
  'a jwk of another curve': (scene) =>
    goodProof(scene, { header: { jwk: { ...scene.program.key.jwk, crv: 'secp256k1' } } }),
  'a jku instead of the jwk': (scene) =>
    goodProof(scene, { header: { jwk: undefined, jku: 'https://evil.example/jwks' } }),
  'the jwk of somebody else': async (scene) =>
    goodProof(scene, { header: { jwk: (await scene.edge.program()).key.jwk } }),
  'no typ': (scene) => goodProof(scene, { header: { typ: undefined } }),
  'typ JWT': (scene) => goodProof(scene, { header: { typ: 'JWT' } }),
  'typ application/dpop+jwt': (scene) => goodProof(scene, { header: { typ: 'application/dpop+jwt' } }),
  'a crit that nobody knows': async (scene) => goodProof(scene).then((proof) => renamed(proof, { crit: ['x'], x: 1 })),
  'a signature that is altered': async (scene) => (await goodProof(scene)).replace(/.{4}$/, 'AAAA'),
  'no signature': async (scene) => (await goodProof(scene)).replace(/[^.]+$/, ''),
  'claims that are altered': async (scene) => {
    const [header, , signature] = partsOf(await goodProof(scene))
    const [, other] = partsOf(await goodProof(scene))
    return `${header}.${other}.${signature}`
  },
  'claims that are a list': list,
  'two proofs in one header': async (scene) => `${await goodProof(scene)}, ${await goodProof(scene)}`,
  'more than 4 KiB': (scene) => goodProof(scene, { claims: { more: 'x'.repeat(4096) } }),
  'no proof at all': async () => 'x',
  nothing: async () => '',
}

const renamed = (proof: string, changes: Record<string, unknown>): string => {
  const [header, claims, signature] = partsOf(proof)
  const read = JSON.parse(new TextDecoder().decode(fromBase64url(header)))
  return `${encoded({ ...read, ...changes })}.${claims}.${signature}`
}

test.each(Object.entries(forged))('a proof with %s is refused', async (_, forge) => {
  const scene = await loggedIn()
  const { edge, program, token } = scene
  const reply = await program.call('GET', '/v1/me', token, { headers: { dpop: await forge(scene) } })
  expect(reply).toMatchObject({ status: 401, json: { error: 'invalid_dpop_proof' } })
  expect(lastRefusal(edge)).toBe('dpop_invalid')
  expect(edge.rows("select id from spent where id like 'dpop.%'")).toHaveLength(1)
})

test('two DPoP headers are refused, though each is a good one', async () => {
  const scene = await loggedIn()
  const headers = new Headers({ authorization: `DPoP ${scene.token}` })
  for (let i = 0; i < 2; i++) headers.append('dpop', await goodProof(scene))
  const reply = await scene.edge.send(`${scene.edge.site.origin}/v1/me`, { headers })
  expect(reply.status).toBe(401)
  expect(lastRefusal(scene.edge)).toBe('dpop_invalid')
})

test('the same forgeries at the token endpoint give no tokens', async () => {
  const scene = await loggedIn()
  const { program, refreshToken } = scene
  for (const forge of Object.values(forged)) {
    const reply = await program.sendToken(program.refreshForm(refreshToken), await forge(scene))
    expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_dpop_proof' } })
  }
})
