/** An invitation in the browser of whoever is invited: what the link shows, what it is good for, and when it is dead. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Edge, Person, requireChromium } from './browser.ts'
import type { LocalProgram } from './local-program.ts'

describe('an invitation', () => {
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
    link = await program.invite(ada, 'Grace Hopper', ['access', 'auditor'])
    grace = await Person.at(started.browser)
    await grace.newKey()
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const register = (person: Person) => person.button('Register a passkey')
  const open = async (person: Person, url: string) => {
    await person.page.goto('about:blank')
    await person.page.goto(url)
  }
  const expectDead = async (person: Person) => {
    await person.page.getByRole('heading', { name: 'This link was used or is no longer valid' }).waitFor()
    expect(await person.page.locator('button, form, template').count()).toBe(0)
    expect(person.page.url()).toBe(`${edge.origin}/invite`)
  }

  test('altered or cut short shows no form, and costs the right one nothing', async () => {
    const eve = await Person.at(started?.browser)
    const [invite = '', secret = ''] = new URL(link).hash.slice(1).split('.')
    const changed = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
    const wrong = ['', invite, `${invite}.`, `${invite}.${secret.slice(0, -4)}`, `${invite}.${changed(secret)}`]
    for (const fragment of [...wrong, `${changed(invite)}.${secret}`, `${invite.slice(0, -4)}.${secret}`]) {
      await open(eve, `${edge.origin}/invite#${fragment}`)
      await expectDead(eve)
    }
    await eve.leave({ refusals: 3 })
  })

  test('shows who is invited, with which roles, by whom and until when; nothing of the link stays in the address', async () => {
    await grace.page.goto(link)
    await register(grace).waitFor()
    expect(grace.page.url()).toBe(`${edge.origin}/invite`)
    const words = 'You will be Grace Hopper, with the roles access, auditor. Ada Lovelace invited you.'
    expect(await grace.page.locator('#register .lead').innerText()).toBe(words)
    expect(await grace.page.getByText('This link works until').innerText()).toMatch(/(today|tomorrow), \d{1,2}:\d\d/)
    await grace.page.reload()
    await register(grace).waitFor()
  })

  test('its secret half never leaves the browser', async () => {
    const secret = new URL(link).hash.slice(1).split('.')[1] ?? ''
    const sent: string[] = []
    grace.page.on('request', (request) => sent.push(request.url(), JSON.stringify(request.headers())))
    grace.page.on('request', (request) => sent.push(request.postData() ?? ''))
    await register(grace).click()
    await grace.page.waitForURL('**/account')
    expect(sent.some((text) => text.includes('/v1/invites/finish'))).toBe(true)
    expect(sent.filter((text) => text.includes(secret))).toEqual([])
  })

  test('makes its opener that user, signed in, with one passkey that lets nobody else in', async () => {
    expect(await grace.page.getByRole('heading', { level: 1 }).innerText()).toContain('Grace Hopper')
    const passkeys = grace.page.getByRole('region', { name: 'Passkeys' })
    expect(await passkeys.getByRole('heading', { level: 3 }).count()).toBe(1)
    await passkeys.locator('summary').click()
    expect(await passkeys.getByText('Signs you in. It lets nobody else in.').isVisible()).toBe(true)
    await grace.signOut()
    await grace.signIn(edge)
  })

  test('works once: neither the same browser nor another opens it again', async () => {
    await open(grace, link)
    await expectDead(grace)
    await open(ada, link)
    await expectDead(ada)
  })

  test('that was used while it stayed open elsewhere refuses at the click, and the form goes', async () => {
    const url = await program.invite(ada, 'Alan Turing', [])
    const [alan, eve] = [await Person.at(started?.browser), await Person.at(started?.browser)]
    for (const person of [alan, eve]) {
      await person.newKey()
      await person.page.goto(url)
      await person.page.getByText('You will be Alan Turing, without any role.').waitFor()
    }
    await register(alan).click()
    await alan.page.waitForURL('**/account')
    await register(eve).click()
    await expectDead(eve)
    await alan.leave()
    await eve.leave({ refusals: 1 })
  })

  test('somebody who is locked out is not signed in, and reads why', async () => {
    await program.lock('Grace Hopper', 'Your laptop was reported lost.')
    await grace.page.goto(`${edge.origin}/account`)
    await grace.button('Sign in with a passkey').click()
    const problem = grace.page.getByRole('alert').filter({ hasText: /\S/ })
    await expect.poll(() => problem.textContent()).toContain('This user is locked: Your laptop was reported lost.')
    expect(await problem.textContent()).toMatch(/Request \S{16}$/)
  })

  test('no page complained about anything but what was provoked', async () => {
    await ada.leave({ refusals: 1 })
    await grace.leave({ refusals: 2 })
  })
})
