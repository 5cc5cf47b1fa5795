/** With the keyboard alone: signing in, adding and removing what one signs in with, and every answer to what waits for a tap. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askFor, newBoot, pgDocument, readerRole } from '../proxies.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, type Key, Person, picture, requireChromium } from './browser.ts'
import { bothFactors, isFocused, problem } from './factors.ts'
import { pressOn, stopsOf, tabTo } from './keyboard.ts'
import { LocalProgram, newInvitation } from './local-program.ts'

describe('with the keyboard alone', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let key: Key
  let program: LocalProgram

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, key, program } = started)
    await ada.page.goto(`${edge.origin}/account`)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const press = (name: string, key?: 'Enter' | 'Space') => pressOn(ada.page, ada.button(name), key)
  const heading = (person: Person) => person.page.getByRole('heading', { level: 1 })
  const invitation = async () => {
    const { privateHalf: _, ...body } = await newInvitation('Eve', ['access'])
    return body
  }

  test('one signs out and in again; after a failure the focus is where one tries again', async () => {
    await press('Sign out')
    const signIn = ada.button('Sign in with a passkey')
    await signIn.waitFor()
    expect(await stopsOf(ada.page)).toEqual(['Sign in with a passkey'])
    await key.verifies(false)
    await press('Sign in with a passkey')
    await problem(ada).waitFor()
    expect(await isFocused(signIn)).toBe(true)
    await key.verifies(true)
    await ada.page.keyboard.press('Space')
    await ada.page.waitForURL('**/account')
  })

  test('a passkey is added: the name, Enter, two touches', async () => {
    const made = ada.newUsbKey()
    await ada.beforeMaking(async () => {
      await key.touched(false)
      await made.touched(true)
    })
    await tabTo(ada.page, ada.page.getByLabel('Name of the new passkey'))
    await ada.page.keyboard.type('Blue key')
    await ada.page.keyboard.press('Enter')
    await ada.page.getByText('The passkey Blue key was added.').waitFor()
    await made.unplug()
    await key.touched(true)
  })

  test('its removal asks first, with the focus on Cancel; Escape leads back to the button; Tab and Enter remove it', async () => {
    const remove = ada.button('Remove Blue key')
    await pressOn(ada.page, remove, 'Space')
    const dialog = ada.page.getByRole('dialog')
    const button = (name: string) => dialog.getByRole('button', { name, exact: true })
    expect(await isFocused(button('Cancel'))).toBe(true)
    await ada.page.keyboard.press('Escape')
    expect([await dialog.isVisible(), await isFocused(remove)]).toEqual([false, true])
    await ada.page.keyboard.press('Enter')
    await pressOn(ada.page, button('Remove'))
    await ada.page.getByText('The passkey Blue key was removed.').waitFor()
  })

  test('an administrative request: Refuse comes first, then Approve, then This was not me', async () => {
    await ada.page.goto(await program.waitForTap('userAdd', await invitation()))
    const answers = ['Refuse', 'Approve with a passkey', 'This was not me']
    expect((await stopsOf(ada.page)).slice(-3)).toEqual(answers)
    await press('Approve with a passkey')
    expect(await program.answerAt(ada)).toHaveProperty('tap')
    await ada.page.goto(await program.waitForTap('userAdd', await invitation()))
    await press('Refuse', 'Space')
    expect(await program.answerAt(ada)).toMatchObject({ error: 'access_denied' })
  })

  test('what expires under the finger leaves the focus on Refuse', async () => {
    await ada.page.route('**/approve?*', async (route) => {
      const response = await route.fetch()
      const body = (await response.text()).replace(/data-seconds="\d+"/, 'data-seconds="3"')
      await route.fulfill({ response, body })
    })
    await ada.page.goto(await program.waitForTap('userAdd', await invitation()))
    await tabTo(ada.page, ada.button('Approve with a passkey'))
    await problem(ada).waitFor()
    expect(await problem(ada).innerText()).toContain('This has expired')
    expect(await isFocused(ada.button('Refuse'))).toBe(true)
    await ada.page.unroute('**/approve?*')
  })

  test('a session that waits for a tap', async () => {
    const { json } = await program.call('GET', '/v1/proxies')
    const [{ id }] = json.proxies
    await program.put({ documents: [pgDocument(), readerRole()] as never })
    const grace = await Person.at(started?.browser)
    await grace.newKey()
    await grace.page.goto(await program.invite(ada, 'Grace Hopper', ['access', 'db-reader']))
    await pressOn(grace.page, grace.button('Register a passkey'))
    await grace.page.waitForURL('**/account')
    const hers = await LocalProgram.at(edge)
    await hers.loginOf(grace)
    const ask = { ...askFor({ id, boot: newBoot() }), redirect_uri: hers.redirectUri, state: 'here' }
    const begun = await hers.call('POST', '/v1/sessions', ask as never)
    await grace.page.goto(begun.json.approve_url)
    await picture(grace, 'approve-session')
    expect(await heading(grace).innerText()).toMatch(/open a session on localhost\?\s+pg-1 as reader$/)
    await pressOn(grace.page, grace.button('Approve with a passkey'))
    expect(await hers.answerAt(grace)).toHaveProperty('tap')
    await hers.end()
    await grace.leave()
  })

  test('an authenticator app: its key has the focus of the reader, a wrong code the one of the hand', async () => {
    await program.prefer(bothFactors)
    await ada.page.goto(`${edge.origin}/account`)
    await tabTo(ada.page, ada.page.getByLabel('Name of the new app'))
    await ada.page.keyboard.type('Phone')
    await ada.page.keyboard.press('Enter')
    const scan = ada.page.getByRole('heading', { name: 'Scan this with the app' })
    await scan.waitFor()
    await expect.poll(() => isFocused(scan)).toBe(true)
    const code = ada.page.getByLabel('Code that the app shows now')
    await tabTo(ada.page, code)
    await ada.page.keyboard.type('000000')
    await ada.page.keyboard.press('Enter')
    await problem(ada).waitFor()
    expect(await isFocused(code)).toBe(true)
    await pressOn(ada.page, ada.button('Cancel'))
    expect(await isFocused(ada.page.getByLabel('Name of the new app'))).toBe(true)
    await program.prefer({ type: 'local', second_factor: 'webauthn', allow_passwords: false })
  })

  test('This was not me', async () => {
    await ada.page.goto(await program.waitForTap('userAdd', await invitation()))
    await press('This was not me')
    await ada.page.getByText('the login of the program that asked is ended').waitFor()
  })

  test('a link that is dead has the focus on the heading that says so', async () => {
    await ada.page.goto(`${edge.origin}/invite#dead`)
    await expect.poll(() => isFocused(heading(ada))).toBe(true)
    expect(await heading(ada).innerText()).toContain('no longer valid')
    expect(await stopsOf(ada.page)).toEqual(['Go to sign in'])
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 2 })
  })
})
