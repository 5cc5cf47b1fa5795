/** Preferences as people have them, read offline: the documents of the guides, certificates by path, every misspelling. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { printDocuments, readDocuments, showProblem } from '../../cli/documents.ts'
import type { PreferenceDocument } from '../../core/access/auth-preference.ts'
import { preferenceOf } from '../../core/access/preference.ts'
import { certificate } from '../core/access/samples.ts'
import { root } from '../runtime/launch.ts'
import { newCli } from './run-cli.ts'

const guide = (name: string) => readFileSync(join(root, 'tests/vectors/guide', `${name}.yaml`), 'utf8')

/** A folder with the document in cap.yaml, and the files that it names. */
function folderWith(text: string, files: Readonly<Record<string, string>> = {}) {
  const cli = newCli()
  writeFileSync(join(cli.home, 'cap.yaml'), text)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cli.home, name), content)
  return { ...cli, dryRun: () => cli.run(['admin', 'create', '--dry-run', 'cap.yaml']) }
}

const fine = { code: 0, stdout: '', stderr: 'cap.yaml: 1 document, nothing is wrong.\n' }

describe('the documents of the guides', () => {
  test.each(['per-session-mfa', 'passwordless', 'no-passwordless'])('%s is taken as it is', async (name) => {
    expect(await folderWith(guide(name)).dryRun()).toEqual(fine)
  })

  test('webauthn is taken with certificates in the place of its dots, by path and inline', async () => {
    const inline = certificate.trim().replaceAll('\n', '\n      ')
    const text = guide('webauthn')
      .replaceAll(/-----BEGIN CERTIFICATE-----\s+\.\.\.\s+-----END CERTIFICATE-----/g, inline)
      .replaceAll('/path/to/', '')
    const files = { 'allowed_ca.pem': certificate, 'denied_ca.pem': `A bundle\n${certificate}` }
    expect(await folderWith(text, files).dryRun()).toEqual(fine)
  })

  test('webauthn with its paths and dots: each is told by line', async () => {
    const { code, stdout } = await folderWith(guide('webauthn')).dryRun()
    expect({ code, lines: stdout.trimEnd().split('\n') }).toEqual({
      code: 1,
      lines: [
        'cap.yaml:11: spec.webauthn.attestation_allowed_cas[0]: `/path/to/allowed_ca.pem`: cannot be read (ENOENT)',
        'cap.yaml:12: spec.webauthn.attestation_allowed_cas[1]: expected certificates in PEM: -----BEGIN CERTIFICATE-----',
        'cap.yaml:17: spec.webauthn.attestation_denied_cas[0]: `/path/to/denied_ca.pem`: cannot be read (ENOENT)',
        'cap.yaml:18: spec.webauthn.attestation_denied_cas[1]: expected certificates in PEM: -----BEGIN CERTIFICATE-----',
      ],
    })
  })

  test('what this version does not do is refused by name and line', async () => {
    expect(await folderWith(guide('device-trust')).dryRun()).toMatchObject({ code: 0 })
    const { code, stdout } = await folderWith(guide('device-trust').replace('"required"', '"sometimes"')).dryRun()
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout:
        'cap.yaml:11: spec.device_trust.mode: `sometimes`: not supported in this version: expected off, optional or required\n',
    })
  })
})

const minimal = (spec: string) => `kind: cluster_auth_preference\nversion: v2\nspec:\n${spec}`

test.each([
  [
    '  second_factr: on\n',
    '4: spec.second_factr: cluster_auth_preference has no field `second_factr`: did you mean `second_factor`?',
  ],
  ['  second_factor: webautn\n', '4: spec.second_factor: `webautn`: did you mean `webauthn`?'],
  ['  second_factors: [webauthn, totp]\n', '4: spec.second_factors[1]: `totp`: did you mean `otp`?'],
  ['  type: saml\n', '4: spec.type: `saml`: not supported in this version: expected local'],
  [
    '  webauthn:\n    rpId: example.com\n',
    '5: spec.webauthn.rpId: webauthn has no field `rpId`: did you mean `rp_id`?',
  ],
  [
    '  webauthn:\n    rp_id: https://example.com\n',
    '5: spec.webauthn.rp_id: `https://example.com`: expected a domain such as access.example.com, without https:// and port',
  ],
  ['  require_session_mfa: maybe\n', '4: spec.require_session_mfa: `maybe`: expected true or false'],
  ['  locking_mode: besteffort\n', '4: spec.locking_mode: `besteffort`: did you mean `best_effort`?'],
  ['  default_session_ttl: 24h\n', '4: spec.default_session_ttl: expected 1m to 12h'],
  [
    '  allow_local_auth: no\n',
    '4: spec.allow_local_auth: nobody could log in: connectors are not supported in this version',
  ],
  [
    '  allow_password: false\n',
    '4: spec.allow_password: cluster_auth_preference has no field `allow_password`: did you mean `allow_passwords`?',
  ],
])('a dry run of %j', async (spec, told) => {
  expect(await folderWith(minimal(spec)).dryRun()).toMatchObject({ code: 1, stdout: `cap.yaml:${told}\n` })
})

test('another version, and a kind that is misspelt', async () => {
  const cli = folderWith(minimal('  {}\n').replace('v2', 'v1'))
  expect((await cli.dryRun()).stdout).toBe('cap.yaml:2: version: `v1`: not supported in this version: expected v2\n')
  writeFileSync(join(cli.home, 'cap.yaml'), minimal('  {}\n').replace('cluster_auth', 'cluster_auht'))
  expect((await cli.dryRun()).stdout).toContain('cap.yaml:1: kind: `cluster_auht_preference`: did you mean')
})

const allowing = (path: string) => minimal(`  webauthn:\n    attestation_allowed_cas: [${path}]\n`)

describe('a certificate by path', () => {
  test('counts from the file, is put in, and another working folder changes nothing', () => {
    const { home } = folderWith('', { 'ca.pem': `note\n${certificate}${certificate}` })
    const read = readDocuments(join(home, 'cap.yaml'), allowing('ca.pem'))
    if ('problems' in read) throw new Error(read.problems.map(showProblem).join('\n'))
    const document = read.documents[0]?.document as PreferenceDocument
    expect(preferenceOf(document).attestation?.allowedCas).toEqual([certificate])
    expect(parse(printDocuments([document], 'yaml'))).toEqual(document)
  })

  test.each([
    ['gone.pem', 'cannot be read (ENOENT)'],
    ['.', 'no file'],
    ['empty.pem', 'expected certificates in PEM: -----BEGIN CERTIFICATE-----'],
    ['key.pem', 'expected certificates alone: take out the PRIVATE KEY'],
    ['large.pem', 'larger than 64 KiB'],
  ])('%s is refused at its line', async (path, why) => {
    const key = '-----BEGIN PRIVATE KEY-----\nTUlJQw==\n-----END PRIVATE KEY-----\n'
    const files = { 'empty.pem': 'nothing', 'key.pem': key, 'large.pem': ' '.repeat(65_537) }
    const { code, stdout } = await folderWith(allowing(path), files).dryRun()
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: `cap.yaml:5: spec.webauthn.attestation_allowed_cas[0]: \`${path}\`: ${why}\n`,
    })
  })

  test('of standard input counts from where the command runs', async () => {
    const cli = folderWith('', { 'ca.pem': certificate })
    expect((await cli.run(['admin', 'create', '--dry-run', '-'], allowing('ca.pem'))).code).toBe(0)
  })

  test('in a folder below, from a file named with its folder', async () => {
    const cli = folderWith('')
    mkdirSync(join(cli.home, 'policy'))
    writeFileSync(join(cli.home, 'policy', 'cap.yaml'), allowing('ca.pem'))
    writeFileSync(join(cli.home, 'policy', 'ca.pem'), certificate)
    expect((await cli.run(['admin', 'create', '--dry-run', 'policy/cap.yaml'])).code).toBe(0)
  })
})
