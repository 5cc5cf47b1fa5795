/** The page about users in a real browser: a link for somebody new, a reset of somebody who is there, and who sees none of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, type Key, Person, picture, requireChromium } from './browser.ts'
import { isFocused, problem } from './factors.ts'
import { pressOn, stopsOf, tabTo } from './keyboard.ts'
import type { LocalProgram } from './local-program.ts'

describe('the page about users', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let grace: Person
  let key: Key
  let program: LocalProgram

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, key, program } = started)
    grace = await Person.at(started.browser)
    await grace.newKey()
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const visit = (person: Person) => person.page.goto(`${edge.origin}/users`)
  const item = (name: string) =>
    ada.page.getByRole('listitem').filter({ has: ada.page.getByRole('heading', { name, exact: true }) })
  const role = (name: string) => ada.page.getByRole('checkbox', { name: new RegExp(`^${name}\\b`) })
  const approve = () => ada.button('Approve with a passkey')
  const linkShown = async () => {
    await ada.page.getByRole('heading', { name: /^A link for/ }).waitFor()
    return ada.page.locator('#link-text').innerText()
  }
  const register = async (person: Person, link: string) => {
    await person.page.goto('about:blank')
    await person.page.goto(link)
    await person.button('Register a passkey').click()
    await person.page.waitForURL('**/account')
  }

  test('is one press away from the account page', async () => {
    await ada.page.goto(`${edge.origin}/account`)
    await picture(ada, 'account-of-an-administrator')
    await ada.page.getByRole('link', { name: 'Users' }).click()
    await ada.page.getByRole('heading', { level: 1 }).waitFor()
    expect(await item('Ada Lovelace').innerText()).toMatch(/You[\s\S]*Roles access, auditor, editor[\s\S]*One passkey/)
    await picture(ada, 'users')
  })

  test('an invite by keyboard alone: name, roles, Enter, and the link has the focus', async () => {
    await tabTo(ada.page, ada.page.getByLabel('Name', { exact: true }))
    await ada.page.keyboard.type('Grace Hopper')
    await ada.page.keyboard.press('Enter')
    expect(await problem(ada).innerText()).toContain('Choose at least one role')
    expect(await isFocused(role('access'))).toBe(true)
    await ada.page.keyboard.press('Space')
    await pressOn(ada.page, role('auditor'), 'Space')
    await pressOn(ada.page, approve())
    const link = await linkShown()
    expect(await isFocused(ada.page.getByRole('heading', { name: /^A link for/ }))).toBe(true)
    expect(link).toMatch(/\/invite#[\w-]{43}\.[\w-]{43}$/)
    expect(await stopsOf(ada.page)).toEqual(['Your account', 'Copy the link', 'Done'])
    await picture(ada, 'users-link')
    await register(grace, link)
    expect(await grace.page.getByRole('heading', { level: 1 }).innerText()).toContain('Grace Hopper')
    await ada.button('Done').click()
    await item('Grace Hopper').waitFor()
    expect(await item('Grace Hopper').innerText()).toMatch(/Roles access, auditor[\s\S]*One passkey/)
  })

  test('the private half of the link’s key goes nowhere', async () => {
    const sent: string[] = []
    ada.page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`))
    await ada.page.getByLabel('Name', { exact: true }).fill('Alan Turing')
    await role('access').check()
    await approve().click()
    const [, privateHalf = ''] = /\.([\w-]{43})$/.exec(await linkShown()) ?? []
    expect(sent.some((one) => one.includes('/v1/actions'))).toBe(true)
    expect(sent.filter((one) => one.includes(privateHalf))).toEqual([])
    await ada.button('Done').click()
    await item('Alan Turing').waitFor()
    expect(await item('Alan Turing').innerText()).toMatch(
      /Invited[\s\S]*No passkey[\s\S]*A link to register a passkey works until/,
    )
  })

  test('a name that is taken is told at the text box, before any key is asked', async () => {
    const [before] = await key.credentials()
    const name = ada.page.getByLabel('Name', { exact: true })
    await name.fill('grace hopper')
    await role('access').check()
    await approve().click()
    await problem(ada).waitFor()
    expect(await problem(ada).innerText()).toContain('Choose another name')
    expect([await name.getAttribute('aria-invalid'), await isFocused(name)]).toEqual(['true', true])
    await picture(ada, 'users-name-taken')
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
  })

  test('a reset: the dialog says what goes, Escape changes nothing, and the old session is over', async () => {
    await visit(ada)
    const opener = ada.button('Reset for Grace Hopper')
    await pressOn(ada.page, opener)
    const dialog = ada.page.getByRole('dialog')
    const inDialog = (name: string) => dialog.getByRole('button', { name, exact: true })
    expect(await isFocused(inDialog('Cancel'))).toBe(true)
    await picture(ada, 'users-reset')
    await ada.page.keyboard.press('Escape')
    expect([await dialog.isVisible(), await isFocused(opener)]).toEqual([false, true])
    await ada.page.keyboard.press('Enter')
    await tabTo(ada.page, inDialog('Approve with a passkey'))
    await ada.page.keyboard.press('Enter')
    const link = await linkShown()
    await grace.page.reload()
    await grace.button('Sign in with a passkey').waitFor()
    await grace.page.goto(link)
    await grace.button('Register a passkey').waitFor()
    expect(await grace.page.getByRole('heading', { level: 1 }).innerText()).toContain('You were reset on')
    await grace.button('Register a passkey').click()
    await grace.page.waitForURL('**/account')
    await ada.button('Done').click()
  })

  test('what is refused while the browser waits is told in the dialog, and can be tried again', async () => {
    await ada.button('New link for Alan Turing').click()
    await key.verifies(false)
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Approve with a passkey' }).click()
    await problem(ada).waitFor()
    expect(await problem(ada).innerText()).toContain('Nothing was approved')
    await key.verifies(true)
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  })

  test('a locked user is told as such, with what the lock names', async () => {
    await program.lock('Alan Turing', 'On leave.')
    await visit(ada)
    expect(await item('Alan Turing').innerText()).toMatch(/Locked[\s\S]*By a lock on user:alan turing/)
    await picture(ada, 'users-several')
  })

  test('who may not see users is told so, and finds no way there', async () => {
    expect(await grace.page.getByRole('link', { name: 'Users' }).count()).toBe(0)
    await visit(grace)
    await grace.page.getByRole('heading', { name: 'You do not administer users' }).waitFor()
    expect(await grace.page.getByRole('button').count()).toBe(0)
    await picture(grace, 'users-refused')
    await grace.page.context().clearCookies({ name: '__Host-sallyport' })
    await visit(grace)
    await grace.button('Sign in with a passkey').waitFor()
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 1 })
    await grace.leave({ refusals: 1 })
  })
})
