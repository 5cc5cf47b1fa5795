/** A tap for a program that waits, in a real browser: approved, refused, and shown to nobody else. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, type Key, Person, requireChromium } from './browser.ts'
import { type LocalProgram, newInvitation } from './local-program.ts'

describe('an administrative request that waits for a tap', () => {
  let started: Administered | undefined
  let edge: Edge
  let ada: Person
  let key: Key
  let program: LocalProgram

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ edge, ada, key, program } = started)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const approve = () => ada.button('Approve with a passkey')
  const problem = () => ada.page.getByRole('alert').filter({ hasText: /\S/ })
  const invitationOf = async (name: string, roles: string[] = ['access']) => {
    const { privateHalf: _, ...invitation } = await newInvitation(name, roles)
    return invitation
  }
  const add = (invitation: Awaited<ReturnType<typeof invitationOf>>, tap: string) =>
    program.call('POST', '/v1/users', invitation, { 'sallyport-tap': tap })

  test('is shown in words, with its method and path, and the tap goes to the program, which then may do it', async () => {
    const invitation = await invitationOf('Grace Hopper', ['access', 'auditor'])
    expect(await program.call('POST', '/v1/users', invitation)).toMatchObject({ json: { error: 'tap_required' } })
    await ada.page.goto(await program.waitForTap('userAdd', invitation, 'here-it-is'))
    const heading = await ada.page.getByRole('heading', { level: 1 }).innerText()
    expect(heading).toMatch(
      /^Ada Lovelace, approve on localhost\?\s+Invite Grace Hopper with the roles access, auditor$/,
    )
    expect(await ada.page.getByText('POST /v1/users').isVisible()).toBe(true)
    await approve().click()
    const { tap = '', ...rest } = await program.answerAt(ada)
    expect(rest).toEqual({ state: 'here-it-is', iss: edge.origin })
    expect(await add(invitation, tap)).toMatchObject({ status: 200, json: { name: 'Grace Hopper' } })
  })

  test('approves nothing but what was shown: another name or more roles are refused', async () => {
    const invitation = await invitationOf('Alan Turing')
    await ada.page.goto(await program.waitForTap('userAdd', invitation))
    await approve().click()
    const { tap = '' } = await program.answerAt(ada)
    for (const change of [{ name: 'Eve' }, { roles: ['access', 'editor'] }]) {
      expect(await add({ ...invitation, ...change }, tap)).toMatchObject({ status: 401, json: { error: 'refused' } })
    }
    expect((await add(invitation, tap)).status).toBe(200)
    expect((await add(invitation, tap)).status).toBe(401)
  })

  test('refused, the program is told so, and no key was asked', async () => {
    const [before] = await key.credentials()
    await ada.page.goto(await program.waitForTap('userAdd', await invitationOf('Eve'), 'no'))
    await ada.button('Refuse').click()
    expect(await program.answerAt(ada)).toEqual({ error: 'access_denied', state: 'no', iss: edge.origin })
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
  })

  test('can be tried again after a tap that failed, and refused while the browser waits', async () => {
    await ada.page.goto(await program.waitForTap('userAdd', await invitationOf('Eve')))
    await key.verifies(false)
    await approve().click()
    await expect.poll(() => problem().textContent()).toContain('Nothing was approved')
    await key.verifies(true)
    await key.touched(false)
    await approve().click()
    await ada.page.getByText('Waiting for your passkey').waitFor()
    await ada.button('Refuse').click()
    expect(await program.answerAt(ada)).toMatchObject({ error: 'access_denied' })
    await key.touched(true)
  })

  test('a page that shows other words than the ticket has never asks a key', async () => {
    const [before] = await key.credentials()
    await ada.page.goto(await program.waitForTap('userAdd', await invitationOf('Eve')))
    await ada.page.route('**/approve?*', async (route) => {
      const response = await route.fetch()
      const body = (await response.text()).replaceAll('Invite Eve', 'Invite Grace Hopper')
      await route.fulfill({ response, body })
    })
    await ada.page.reload()
    await ada.page.getByRole('heading', { name: 'Invite Grace Hopper' }).waitFor()
    await expect.poll(() => problem().textContent()).toContain('Something went wrong in this page')
    expect(await approve().isDisabled()).toBe(true)
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
    await ada.page.unroute('**/approve?*')
  })

  test('a session that has ended meanwhile leads to signing in, and back to this request', async () => {
    const invitation = await invitationOf('Edsger Dijkstra')
    const url = await program.waitForTap('userAdd', invitation)
    await ada.page.goto(url)
    await ada.page.context().clearCookies({ name: '__Host-sallyport' })
    await approve().click()
    await expect.poll(() => problem().textContent()).toContain('Sign in, then try again')
    await problem().getByRole('link', { name: 'Sign in' }).click()
    expect(await ada.page.getByText('a request that waits for your approval').isVisible()).toBe(true)
    await ada.button('Sign in with a passkey').click()
    await approve().click()
    const { tap = '' } = await program.answerAt(ada)
    expect((await add(invitation, tap)).status).toBe(200)
  })

  test('at the browser of somebody else there is nothing to press', async () => {
    const katherine = await Person.at(started?.browser)
    await katherine.newKey()
    await katherine.page.goto(await program.invite(ada, 'Katherine Johnson'))
    await katherine.button('Register a passkey').click()
    await katherine.page.waitForURL('**/account')
    await katherine.page.goto(await program.waitForTap('userAdd', await invitationOf('Eve')))
    await katherine.page.getByRole('heading', { name: 'This is for somebody else' }).waitFor()
    expect(await katherine.page.getByRole('button').count()).toBe(0)
    expect(await katherine.page.content()).not.toContain('Eve')
    await katherine.leave({ refusals: 1 })
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 1 })
  })
})
