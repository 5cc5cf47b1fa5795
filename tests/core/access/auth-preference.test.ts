/** How people log in: what the document may say, and what it comes to. */
import { describe, expect, test } from 'vitest'
import type { PreferenceDocument } from '../../../core/access/auth-preference.ts'
import { defaultPreference, defaultPreferenceDocument, preferenceOf } from '../../../core/access/preference.ts'
import type { Json } from '../../../core/intent.ts'
import { hours } from '../../../core/model.ts'
import { acceptsAndRefuses, dotted, type Fine, problemsOf, read } from './reading.ts'
import { certificate, changed, preference } from './samples.ts'

const unsupported = (word: string, expected: string) =>
  `\`${word}\`: not supported in this version: expected ${expected}`
const domain = 'expected a domain such as access.example.com, without https:// and port'
const anOrigin = 'expected an origin such as https://access.example.org'
const factorWords = 'off, otp, webauthn, on or optional'
const aaguid = 'ee882879-721c-4913-9775-3dfcce97072a'

describe('a cluster_auth_preference', () => {
  acceptsAndRefuses(
    preference,
    [
      ['metadata', undefined, { name: 'cluster-auth-preference' }],
      ['metadata', null, { name: 'cluster-auth-preference' }],
      ['metadata.name', undefined, 'cluster-auth-preference'],
      ['spec', {}, { type: 'local' }],
      ['spec.type', undefined, 'local'],
      ...['off', 'otp', 'webauthn', 'on', 'optional'].map((word): Fine => ['spec.second_factor', word, word]),
      ['spec.second_factor', true, 'on'],
      ['spec.second_factor', false, 'off'],
      ['spec.second_factors', ['otp', 'webauthn'], ['webauthn', 'otp']],
      ['spec.second_factors', ['webauthn', 'otp', 'otp'], ['webauthn', 'otp']],
      ['spec.webauthn', undefined, undefined],
      ['spec.webauthn', {}, undefined],
      ['spec.webauthn.rp_id', 'Access.Example.COM', 'access.example.com'],
      ['spec.webauthn.rp_id', 'localhost', 'localhost'],
      ['spec.webauthn.attestation_allowed_cas', [], undefined],
      ['spec.webauthn.attestation_denied_cas', [` ${certificate}# two\n${certificate}`], [certificate]],
      ['spec.webauthn.allowed_aaguids', [aaguid.toUpperCase()], [aaguid]],
      ['spec.webauthn.backup_eligible', 'no', false],
      ['spec.webauthn.related_origins', ['https://A.example:443/'], ['https://a.example']],
      ['spec.require_session_mfa', 'yes', true],
      ['spec.device_trust', { mode: 'off' }, { mode: 'off' }],
      ['spec.device_trust', { mode: false }, { mode: 'off' }],
      ['spec.device_trust', { mode: 'required', auto_enroll: true }, { mode: 'required', auto_enroll: true }],
      ['spec.device_trust', null, undefined],
      ['spec.admin_action_mfa', 'on', true],
      ['spec.default_session_ttl', '12h0m0s', '12h'],
      ['spec.locking_mode', 'best_effort', 'best_effort'],
      ['spec.connector_name', '', undefined],
      ['spec.connector_name', 'passwordless', 'passwordless'],
      ['spec.connector_name', 'local', 'local'],
      ['spec.allow_local_auth', true, true],
      ['spec.passwordless', 'on', true],
      ['spec.allow_passwords', true, true],
    ],
    [
      ['version', 'v1', unsupported('v1', 'v2')],
      ['metadata.name', 'mine', unsupported('mine', 'cluster-auth-preference')],
      [
        'spec',
        undefined,
        'missing: expected a map of type, second_factor, second_factors, webauthn, require_session_mfa, device_trust, admin_action_mfa, default_session_ttl, locking_mode, connector_name, allow_local_auth, passwordless, allow_passwords',
      ],
      ['spec.type', 'oidc', unsupported('oidc', 'local')],
      ['spec.second_factor', 'u2f', unsupported('u2f', factorWords)],
      ['spec.second_factor', 'webautn', '`webautn`: did you mean `webauthn`?'],
      ['spec.second_factor', null, `expected ${factorWords}, not nothing`],
      ['spec.second_factors', ['sso'], `[0]: ${unsupported('sso', 'webauthn or otp')}`],
      ['spec.second_factors', [], 'expected at least one: write second_factor: off'],
      ['spec.second_factors', ['otp'], 'second_factor: on says otherwise: leave out one of the two'],
      ['spec.second_facto', 'on', 'cluster_auth_preference has no field `second_facto`: did you mean `second_factor`?'],
      [
        'spec.webauthn',
        'example.com',
        'expected a map of rp_id, former_rp_ids, related_origins, attestation_allowed_cas, attestation_denied_cas, allowed_aaguids, denied_aaguids, backup_eligible, not text',
      ],
      ['spec.webauthn.rpid', 'x', 'webauthn has no field `rpid`: did you mean `rp_id`?'],
      ['spec.webauthn.rp_id', 'https://example.com', `\`https://example.com\`: ${domain}`],
      ['spec.webauthn.rp_id', 'example.com:443', `\`example.com:443\`: ${domain}`],
      ['spec.webauthn.rp_id', '192.0.2.1', `\`192.0.2.1\`: ${domain}`],
      ['spec.webauthn.rp_id', 'com', `\`com\`: ${domain}`],
      ['spec.webauthn.former_rp_ids', ['com'], `[0]: \`com\`: ${domain}`],
      ['spec.webauthn.related_origins', ['http://a.example'], `[0]: \`http://a.example\`: ${anOrigin}`],
      ['spec.webauthn.related_origins', ['https://a.example/x'], `[0]: \`https://a.example/x\`: ${anOrigin}`],
      ['spec.webauthn.related_origins', [...'abcdef'].map((one) => `https://${one}.example`), '6 entries: at most 5'],
      ['spec.webauthn.attestation_allowed_cas', certificate, 'expected a list of certificates, not text'],
      ['spec.webauthn.attestation_allowed_cas', [7], '[0]: expected text: put 7 in quotes'],
      [
        'spec.webauthn.attestation_denied_cas',
        ['ca.pem'],
        '[0]: expected certificates in PEM: -----BEGIN CERTIFICATE-----',
      ],
      ['spec.webauthn.allowed_aaguids', ['x'], `[0]: \`x\`: expected an AAGUID such as ${aaguid}`],
      ['spec.webauthn.backup_eligible', 1, 'expected true or false, not a number'],
      [
        'spec.require_session_mfa',
        'hardware_key_touch',
        '`hardware_key_touch`: not supported in this version: true asks for a tap',
      ],
      ['spec.device_trust', {}, '.mode: missing: expected off, optional or required'],
      ['spec.device_trust', { mode: true }, `.mode: ${unsupported('on', 'off, optional or required')}`],
      [
        'spec.device_trust',
        { mode: 'off', ekcert_allowed_cas: [] },
        '.ekcert_allowed_cas: device_trust has no field `ekcert_allowed_cas`: not supported in this version',
      ],
      ['spec.default_session_ttl', '13h', 'expected 1m to 12h'],
      ['spec.default_session_ttl', '30s', 'expected 1m to 12h'],
      ['spec.locking_mode', 'stric', '`stric`: did you mean `strict`?'],
      ['spec.connector_name', 'okta', unsupported('okta', 'local or passwordless')],
      ['spec.allow_local_auth', false, 'nobody could log in: connectors are not supported in this version'],
      ['spec.passwordless', false, 'nobody could log in: allow_passwords is false too'],
      [
        'spec.disconnect_expired_cert',
        true,
        'cluster_auth_preference has no field `disconnect_expired_cert`: not supported in this version',
      ],
    ],
  )

  test('refuses connector_name: passwordless where passkeys alone log nobody in', () => {
    const two = { type: 'local', passwordless: false, connector_name: 'passwordless' }
    expect(problemsOf(changed(preference, ['spec'], two))).toEqual([
      'spec.connector_name: `passwordless` is not offered: passwordless is false',
    ])
  })

  test('takes both ways to name second factors where they agree', () => {
    for (const [word, list] of Object.entries({ otp: ['otp'], webauthn: ['webauthn'], on: ['otp', 'webauthn'] }))
      expect(problemsOf(changed(preference, ['spec'], { second_factor: word, second_factors: list }))).toEqual([])
    for (const [word, list] of Object.entries({ off: ['otp'], optional: ['otp', 'webauthn'], otp: ['webauthn'] }))
      expect(problemsOf(changed(preference, ['spec'], { second_factor: word, second_factors: list }))).toHaveLength(1)
  })

  test('refuses more than 64 certificates', () => {
    const end = certificate.length - 40
    const many = Array.from({ length: 65 }, (_, i) => {
      const two = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/Z'.charAt(i)
      return certificate.slice(0, end) + two + (i === 64 ? 'x' : 'y') + certificate.slice(end + 2)
    })
    const path = dotted('spec.webauthn.attestation_allowed_cas')
    expect(problemsOf(changed(preference, path, many))).toEqual([
      'spec.webauthn.attestation_allowed_cas: 65 certificates: at most 64',
    ])
  })
})

const specOf = (spec: Json) => preferenceOf(read(changed(preference, ['spec'], spec)) as PreferenceDocument)

describe('preferenceOf', () => {
  test('without a document: passkeys and nothing else; the default document says the same', () => {
    expect(preferenceOf(undefined)).toBe(defaultPreference)
    const { revision, ...said } = preferenceOf(read(defaultPreferenceDocument) as PreferenceDocument)
    expect({ ...said, revision: undefined }).toEqual(defaultPreference)
    expect(revision).toMatch(/^[\w-]{43}$/)
  })

  test('a document that says nothing about passwords allows them', () => {
    const { revision: _, ...said } = specOf({})
    expect(said).toEqual({ ...defaultPreference, passwords: true, revision: undefined })
    expect(specOf({ allow_passwords: false }).passwords).toBe(false)
    expect(specOf({ passwordless: false })).toMatchObject({ passwordless: false, passwords: true })
  })

  test.each<[Json, string, string[]]>([
    [{ second_factor: 'off' }, 'off', []],
    [{ second_factor: 'otp' }, 'required', ['otp']],
    [{ second_factor: 'webauthn' }, 'required', ['webauthn']],
    [{ second_factor: true }, 'required', ['webauthn', 'otp']],
    [{ second_factor: 'optional' }, 'optional', ['webauthn', 'otp']],
    [{ second_factors: ['otp'] }, 'required', ['otp']],
    [{ second_factor: 'on', second_factors: ['otp', 'webauthn'] }, 'required', ['webauthn', 'otp']],
    [{}, 'required', ['webauthn']],
  ])('%j', (spec, secondFactor, secondFactors) => {
    expect(specOf(spec)).toMatchObject({ secondFactor, secondFactors })
  })

  test('says all that the sample says', () => {
    expect(preferenceOf(read(preference) as PreferenceDocument)).toMatchObject({
      rpId: 'example.com',
      formerRpIds: ['access.example.com'],
      relatedOrigins: ['https://access.example.org'],
      attestation: {
        allowedCas: [certificate],
        deniedCas: [],
        allowedAaguids: [],
        deniedAaguids: [aaguid],
        backupEligible: false,
      },
      requireSessionMfa: true,
      defaultSessionTtl: hours(8),
      lockingMode: 'strict',
    })
  })

  test('asks for no attestation where any authenticator will do', () => {
    expect(specOf({ webauthn: { rp_id: 'example.com', backup_eligible: true } }).attestation).toBeUndefined()
    expect(specOf({ webauthn: { backup_eligible: false } }).attestation).toMatchObject({ backupEligible: false })
    expect(specOf({ webauthn: { denied_aaguids: [aaguid] } }).attestation).toMatchObject({ backupEligible: true })
  })
})
