/** Registering as a passkey and as a security key: what a browser is asked, and what becomes of what it made. */
import { describe, expect, test } from 'vitest'
import { defaultPreference, type Preference } from '../../../core/access/preference.ts'
import { canSignIn } from '../../../core/login/second-factor.ts'
import { type Authenticator, type CreationOptions, flag } from '../../authenticator.ts'
import { addBody, addPasskey, addSecurityKey, newVouchKey, touch, type Visitor } from '../../client.ts'
import { lastRefusal, newAdministrator } from '../../edge.ts'
import { bothFactors, passwordBody, setPassword } from '../../factors.ts'

type Asked = CreationOptions & {
  readonly authenticatorSelection: object
  readonly hints?: readonly string[]
  readonly excludeCredentials: readonly { readonly id: string }[]
  readonly extensions: object
}

async function asked(visitor: Visitor, kind: 'passkey' | 'security_key') {
  const { vouch_key } = await newVouchKey()
  const { json } = await visitor.post('/v1/passkeys/begin', { kind, name: 'New', vouch_key: { ...vouch_key } })
  const { create, tap } = json as { create: Asked; tap: { userVerification: string } }
  return { ...create, exclude: create.excludeCredentials.map(({ id }) => id), tap }
}

const newOwner = () => newAdministrator({ preference: bothFactors })

describe('what is asked', () => {
  test('of a passkey: that it is discoverable and verifies; what is a passkey already is left out', async () => {
    const { edge, passkey, visitor } = await newOwner()
    await addSecurityKey(visitor, passkey, await edge.authenticator())
    const { authenticatorSelection, hints, exclude, extensions } = await asked(visitor, 'passkey')
    expect({ authenticatorSelection, hints, exclude, extensions }).toEqual({
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      hints: undefined,
      exclude: [passkey.credentialId],
      extensions: { credProps: true },
    })
  })

  test('of a security key: a touch; whatever the user has already is left out', async () => {
    const { edge, passkey, visitor } = await newOwner()
    const key = await edge.authenticator()
    await addSecurityKey(visitor, passkey, key)
    const { authenticatorSelection, hints, exclude } = await asked(visitor, 'security_key')
    expect({ authenticatorSelection, hints }).toEqual({
      authenticatorSelection: {
        ...{ authenticatorAttachment: 'cross-platform', residentKey: 'discouraged', requireResidentKey: false },
        userVerification: 'discouraged',
      },
      hints: ['security-key'],
    })
    expect(exclude.sort()).toEqual([passkey.credentialId, key.credentialId].sort())
  })

  test('of who taps: to verify among passkeys, to verify who can among both, a touch of security keys', async () => {
    const { edge, passkey, visitor } = await newOwner()
    expect((await asked(visitor, 'security_key')).tap.userVerification).toBe('required')
    const key = await edge.authenticator()
    await setPassword(visitor, passkey)
    await addSecurityKey(visitor, passkey, key)
    expect((await asked(visitor, 'security_key')).tap.userVerification).toBe('preferred')
    edge.store.raw.exec("update credentials set removed_at = 1 where kind = 'passkey'")
    const { options } = (await edge.visitor().post('/v1/login/password/begin', { name: 'Ada' })).json
    expect(options.userVerification).toBe('discouraged')
    expect(
      (await edge.visitor().post('/v1/login/password/finish', await passwordBody(edge.visitor(), {}))).status,
    ).toBe(401)
  })
})

async function added(kind: 'passkey' | 'security_key', rk: boolean | undefined, flags = flag.UP | flag.UV | flag.AT) {
  const { edge, passkey, visitor } = await newOwner()
  const made: Authenticator = await edge.authenticator()
  const body = await addBody(visitor, passkey, made, { kind, create: { flags } })
  const clientExtensionResults = rk === undefined ? {} : { credProps: { rk } }
  const sent = { ...body, registration: { ...body.registration, clientExtensionResults } }
  const { status } = await visitor.post('/v1/passkeys/finish', sent)
  const [row] = edge.rows(`select kind from credentials where id = '${made.credentialId}'`)
  return status === 200 ? row?.['kind'] : [status, lastRefusal(edge)]
}

describe('what becomes of it', () => {
  test.each([
    ['passkey', true, 'passkey'],
    ['passkey', undefined, 'passkey'],
    ['passkey', false, [401, 'registration_wrong']],
    ['security_key', false, 'security_key'],
    ['security_key', undefined, 'security_key'],
    ['security_key', true, 'security_key'],
  ] as const)('asked for a %s, with credProps.rk %s: %j', async (kind, rk, expected) => {
    expect(await added(kind, rk)).toEqual(expected)
  })

  test('a touch alone makes a security key, and no passkey', async () => {
    expect(await added('security_key', undefined, flag.UP | flag.AT)).toBe('security_key')
    expect(await added('passkey', undefined, flag.UP | flag.AT)).toEqual([401, 'assertion_wrong'])
  })

  test('one authenticator becomes a passkey beside the security key that it is, by its own touch', async () => {
    const { edge, passkey, visitor } = await newOwner()
    edge.store.raw.exec('update credentials set may_vouch = 0')
    const key = await edge.authenticator()
    await addSecurityKey(visitor, passkey, key)
    const upgraded = await addPasskey(visitor, key, await edge.authenticator(), { name: 'Same key', tap: touch })
    expect(upgraded.status).toBe(200)
  })
})

test('canSignIn: a security key beside a password, where that is taken, and never alone', () => {
  const of = (more: Partial<Preference> = {}): Preference => ({ ...defaultPreference, passwords: true, ...more })
  const key = (password: boolean) => ({ passkeys: 0, securityKeys: 1, totps: 0, password })
  expect(canSignIn(of(), key(true))).toBe(true)
  expect(canSignIn(of(), key(false))).toBe(false)
  expect(canSignIn(of({ passwords: false }), key(true))).toBe(false)
  expect(canSignIn(of({ secondFactors: ['otp'] }), key(true))).toBe(false)
})
