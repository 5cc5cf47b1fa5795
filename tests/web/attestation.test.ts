/**
 * Authenticators that show their papers in a real Chromium: a passkey with a packed attestation, an old security key with fido-u2f. Its
 * virtual authenticators sign with one key that stands in Chromium's sources (device/fido/virtual_fido_device.cc) and write a new
 * certificate each time, so the cluster allows the CA of that name and key.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { der, makeCertificate, makeRoot, p256, pemOf } from '../core/certificates.ts'
import { goodPassword } from '../factors.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, type Key, type Person, picture, requireChromium } from './browser.ts'
import { enterPassword, problem, region, setPassword, visitSignIn } from './factors.ts'
import type { LocalProgram } from './local-program.ts'

const name = 'C=US, O=Chromium, OU=Authenticator Attestation, CN=Batch Certificate'
/** The same as Chromium encodes it: UTF8String, where our generator would write PrintableString. Names are compared byte for byte. */
const encodedName = name.replace(/((?:O|OU|CN)=)([^,]+)/g, (_, type: string, text: string) => {
  return `${type}#${Buffer.from(der(0x0c, Buffer.from(text))).toString('hex')}`
})
const point =
  '048d617e65c9508e64bcc5673ac82a6799da3c1446682c258c463fffdf58dfd2fa3e6c378b53d795c4a4dffb4199edd7862f23abaf0203b4b8911ba0569994e101'
const years = { from: Date.UTC(2017, 0, 1), until: Date.UTC(2046, 0, 1) }

/** Who signed it does not matter: what a cluster allows, it trusts by itself. */
async function chromiumCa(): Promise<string> {
  const issuer = await makeRoot(years)
  const publicKey = await crypto.subtle.importKey('raw', Buffer.from(point, 'hex'), p256, true, ['verify'])
  const keys = { publicKey, privateKey: issuer.keys.privateKey }
  return pemOf((await makeCertificate({ name: encodedName, ca: true, issuer, keys, ...years })).der)
}

const strict = (pem: string) => ({
  ...{ type: 'local', second_factors: ['webauthn'], allow_passwords: true },
  webauthn: { attestation_allowed_cas: [pem] },
})

describe('a cluster that takes authenticators of one maker', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let key: Key
  let old: Key
  let program: LocalProgram
  let allowed: string

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, key, program } = started)
    allowed = await chromiumCa()
    await program.prefer(strict(allowed))
    await ada.page.goto(`${edge.origin}/account`)
    old = await ada.newOldKey()
    await old.touched(false)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const keys = () => region(ada, 'Passkeys and security keys')
  const item = (title: string) => keys().getByRole('listitem').filter({ hasText: title })
  const listed = async () => (await program.call('GET', '/v1/me/factors')).json.factors

  test('a passkey with a packed attestation is taken, and whose it is stays written', async () => {
    const made = ada.newUsbKey()
    await ada.addPasskey('Blue key', key, made)
    await made.touched(false)
    expect(await item('Blue key').innerText()).toContain(`Attested by ${name}`)
    expect(await listed()).toMatchObject([
      { kind: 'passkey', attestation: { format: 'none', trust: 'none' } },
      { kind: 'passkey', name: 'Blue key', attestation: { format: 'packed', trust: 'chain', ca: { subject: name } } },
    ])
  })

  test('an old security key with fido-u2f is taken as that', async () => {
    await ada.addSecurityKey('Drawer', key, old)
    expect(await item('Drawer').innerText()).toContain('Security key')
    expect(await item('Drawer').innerText()).toContain(`Attested by ${name}`)
    expect((await listed())[2]).toMatchObject({
      kind: 'security_key',
      synced: false,
      attestation: { format: 'fido-u2f', trust: 'chain', ca: { subject: name } },
    })
    await key.touched(true)
    await picture(ada, 'account-security-key')
  })

  test('beside a password its touch signs in; it alone is not even asked', async () => {
    await old.touched(false)
    await setPassword(ada, goodPassword)
    await ada.page.getByText('The password was set.').waitFor()
    await visitSignIn(ada, edge, key, old)
    await enterPassword(ada, 'Ada Lovelace', goodPassword)
    await ada.page.getByText('Waiting for your passkey or security key').waitFor()
    await ada.page.keyboard.press('Escape')
    await old.touched(true)
    await ada.page.reload()
    await enterPassword(ada, 'Ada Lovelace', goodPassword)
    await ada.page.waitForURL('**/account')
  })

  test('it cannot be made a second time; where another maker alone is allowed, neither kind is taken', async () => {
    await ada.page.getByRole('radio', { name: /^Security key/ }).check()
    await ada.askToAdd('security key', 'Twice', key, old)
    await expect.poll(() => problem(ada).textContent()).toContain('already')
    // Whoever makes a key has let go of the one before.
    await old.touched(false)
    await key.touched(true)
    await program.prefer(strict(pemOf((await makeRoot(years)).der)))
    for (const kind of ['passkey', 'security key'] as const) {
      const made = kind === 'passkey' ? ada.newUsbKey() : await ada.newOldKey()
      await old.touched(false)
      await ada.page.goto(`${edge.origin}/account`)
      if (kind === 'security key') await ada.page.getByRole('radio', { name: /^Security key/ }).check()
      await ada.askToAdd(kind, 'Another', key, made)
      await problem(ada).waitFor()
      await expect
        .poll(() => problem(ada).textContent(), { message: kind })
        .toContain('takes only certain authenticators')
      await made.unplug()
    }
    expect(await listed()).toHaveLength(3)
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 2 })
  })
})
