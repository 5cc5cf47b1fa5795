/** Every state of the pages for programs and people invited, as tests/web/pictures.test.ts has the others. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Edge, type Key, openBrowser, Person, picture, requireChromium, startEdge } from './browser.ts'
import { LocalProgram, newInvitation } from './local-program.ts'

describe('every state of the pages for programs and people invited', () => {
  let browser: Browser | undefined
  let edge: Edge
  let ada: Person
  let grace: Person
  let key: Key
  let program: LocalProgram
  let link: string

  beforeAll(async () => {
    browser = await openBrowser()
    if (!browser) return
    edge = await startEdge()
    ada = await Person.at(browser)
    key = await ada.newKey()
    await ada.registerFirst(edge)
    program = await LocalProgram.at(edge)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(async () => {
    await browser?.close()
    await program?.end()
    await edge?.end()
  })

  const problem = (person: Person) => person.page.getByRole('alert').filter({ hasText: /\S/ })
  const approve = () => ada.button('Approve with a passkey')

  test('a program asks', async () => {
    await ada.page.goto(program.ask().url)
    await approve().waitFor()
    await picture(ada, 'authorize')
    await ada.page.goto(program.ask({ scope: 'openid' }).url)
    await picture(ada, 'authorize-openid')
    await key.verifies(false)
    await approve().click()
    await problem(ada).waitFor()
    await picture(ada, 'authorize-failed')
    await key.verifies(true)
    await ada.page.goto(program.ask({ client_id: 'unknown' }).url)
    await picture(ada, 'authorize-unknown-client')
  })

  test('a request waits', async () => {
    await program.loginOf(ada)
    const { privateHalf: _, ...invitation } = await newInvitation('Grace Hopper', ['access', 'auditor'])
    await ada.page.goto(await program.waitForTap('userAdd', invitation))
    await picture(ada, 'approve')
    await key.touched(false)
    await approve().click()
    await ada.page.getByText('Waiting for your passkey').waitFor()
    await picture(ada, 'approve-waiting')
    await key.touched(true)
  })

  test('somebody is invited', async () => {
    link = await program.invite(ada, 'Grace Hopper', ['access', 'auditor'])
    grace = await Person.at(browser)
    await grace.newKey()
    await grace.page.goto(link)
    await grace.button('Register a passkey').waitFor()
    await picture(grace, 'invite')
    await grace.button('Register a passkey').click()
    await grace.page.waitForURL('**/account')
    await grace.page.goto(link)
    await grace.page.getByText('no longer valid').waitFor()
    await picture(grace, 'invite-dead')
    const { privateHalf: _, ...invitation } = await newInvitation('Alan Turing', [])
    await grace.page.goto(await program.waitForTap('userAdd', invitation))
    await picture(grace, 'approve-another-user')
  })

  test('programs on the account page', async () => {
    await ada.page.goto(`${edge.origin}/account`)
    await picture(ada, 'account-program')
    const asked = program.ask()
    await ada.page.goto(asked.url)
    await approve().click()
    const { code = '' } = await program.answerAt(ada)
    for (const status of [200, 400]) expect(await program.redeem(code, asked)).toMatchObject({ status })
    await ada.page.goto(`${edge.origin}/account`)
    await picture(ada, 'account-program-ended')
  })

  test('somebody who is locked out signs in', async () => {
    await program.lock('Grace Hopper', 'Your laptop was reported lost. Call +41 44 123 45 67.')
    await grace.page.goto(program.ask().url)
    await picture(grace, 'sign-in-to-authorize')
    await grace.button('Sign in with a passkey').click()
    await problem(grace).waitFor()
    await picture(grace, 'sign-in-locked')
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 1 })
    await grace.leave({ refusals: 3 })
  })
})
