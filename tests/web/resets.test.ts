/** A reset and a recovery in the browser: what the links show, what they are good for, when they are dead; with pictures. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { root } from '../runtime/launch.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, Person, picture, requireChromium } from './browser.ts'
import type { LocalProgram } from './local-program.ts'

describe('a reset, then a recovery', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let grace: Person
  let program: LocalProgram
  let link: string

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, program } = started)
    grace = await Person.at(started.browser)
    await grace.newKey()
    await grace.page.goto(await program.invite(ada, 'Grace Hopper', ['access', 'auditor']))
    await grace.button('Register a passkey').click()
    await grace.page.waitForURL('**/account')
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const expectDead = async (person: Person) => {
    await person.page.getByRole('heading', { name: 'This link was used or is no longer valid' }).waitFor()
    expect(await person.page.locator('button, form, template').count()).toBe(0)
  }
  const open = async (person: Person, url: string) => {
    await person.page.goto('about:blank')
    await person.page.goto(url)
  }
  const linkOfRecovery = (name: string) => {
    const env = { ...process.env, SALLYPORT_HOME: edge.home, SALLYPORT_EDGE_PORT: new URL(edge.origin).port }
    const { stdout } = spawnSync(process.execPath, [join(root, 'dist/edge/serve.js'), 'recover', name], { env })
    return /http:\S+/.exec(String(stdout))?.[0] ?? ''
  }

  test('the page that approves says what is removed', async () => {
    await ada.page.goto(await program.waitForTap('userReset', { name: 'Grace Hopper', reset_key: someKey }))
    const words = 'Reset Grace Hopper: all passkeys, passwords, codes and sessions of Grace Hopper are removed'
    expect(await ada.page.getByRole('heading', { level: 1 }).innerText()).toContain(words)
    await picture(ada, 'approve-reset')
  })

  test('the link says that it is a reset, by whom and when, and what was removed; the old session is over', async () => {
    link = await program.reset(ada, 'Grace Hopper')
    await grace.page.reload()
    await grace.button('Sign in with a passkey').waitFor()
    await grace.page.goto(link)
    await grace.button('Register a passkey').waitFor()
    expect(await grace.page.getByRole('heading', { level: 1 }).innerText()).toContain('You were reset on')
    const lead = await grace.page.locator('#register .lead').innerText()
    expect(lead).toMatch(
      /^You are Grace Hopper, with the roles access, auditor\. Ada Lovelace reset you \(today, \d+:\d\d\)\. Whatever passkeys, password and codes you had here were removed/,
    )
    expect(await grace.page.getByText('Talk to Ada Lovelace before you go on').isVisible()).toBe(true)
    expect(grace.page.url()).toBe(`${edge.origin}/invite`)
    await picture(grace, 'reset')
  })

  test('after registration the account page tells it, once', async () => {
    await grace.button('Register a passkey').click()
    await grace.page.waitForURL('**/account')
    const notice = grace.page.getByRole('complementary', { name: 'Your reset' })
    expect(await notice.innerText()).toMatch(
      /^You were reset by Ada Lovelace \(today, \d+:\d\d\): whatever passkeys, password and codes you had/,
    )
    await picture(grace, 'account-after-reset')
    await grace.signOut()
    await grace.signIn(edge)
    expect(await notice.count()).toBe(0)
  })

  test('used once, the link is dead for everybody', async () => {
    await open(grace, link)
    await expectDead(grace)
  })

  test('a recovery says whom it is for and what it removes, and nothing of it stays in the address', async () => {
    await ada.page.goto(linkOfRecovery('grace hopper'))
    await ada.button('Register a passkey').waitFor()
    expect(await ada.page.locator('#there').innerText()).toContain('You will be Grace Hopper again')
    expect(await ada.page.locator('#new').count()).toBe(0)
    expect(ada.page.url()).toBe(`${edge.origin}/recover`)
    await picture(ada, 'recover')
  })

  test('a newer recovery kills it at the click; somebody new becomes a root', async () => {
    const newer = linkOfRecovery('Alan Turing')
    await ada.button('Register a passkey').click()
    await expectDead(ada)
    await picture(ada, 'recover-dead')
    const alan = await Person.at(started?.browser)
    await alan.newKey()
    await alan.page.goto(newer)
    await alan.page.getByText('You will be Alan Turing, who is new here').waitFor()
    await picture(alan, 'recover-new')
    await alan.button('Register a passkey').click()
    await alan.page.waitForURL('**/account')
    expect(await alan.page.getByText('Root', { exact: true }).isVisible()).toBe(true)
    await open(alan, newer)
    await expectDead(alan)
    await alan.leave({ refusals: 1 })
  })

  test('signing in leads to the place in the page that was asked for', async () => {
    await grace.page.goto(`${edge.origin}/account`)
    await grace.signOut()
    await grace.page.goto('about:blank')
    await grace.page.goto(`${edge.origin}/account#name`)
    await grace.button('Sign in with a passkey').click()
    await grace.page.waitForURL('**/account#name')
    await expect.poll(() => grace.page.evaluate('document.activeElement.id')).toBe('name')
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 1 })
    await grace.leave({ refusals: 1 })
  })
})

const someKey = {
  kty: 'EC',
  crv: 'P-256',
  x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
  y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
}
