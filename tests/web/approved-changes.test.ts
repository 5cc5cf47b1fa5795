/** What an administrator sees before he taps: the difference, the time that is left, and three answers. In a real browser. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { type Administered, startWithAdministrator } from './administrator.ts'
import { type Key, type Person, picture, requireChromium } from './browser.ts'
import type { LocalProgram } from './local-program.ts'

const roleOf = (name: string, users: readonly string[]): Json => ({
  kind: 'role',
  version: 'v7',
  metadata: { name },
  spec: { allow: { db_labels: { env: ['dev'] }, db_users: [...users], db_names: ['orders'] } },
})

describe('a change of documents that waits for a tap', () => {
  let started: Administered | undefined
  let ada: Person
  let key: Key
  let program: LocalProgram

  beforeAll(async () => {
    started = await startWithAdministrator()
    if (!started) return
    ;({ ada, key, program } = started)
  })
  beforeEach((ctx) => requireChromium(ctx))
  afterAll(() => started?.end())

  const problem = () => ada.page.getByRole('alert').filter({ hasText: /\S/ })
  const approve = () => ada.button('Approve with a passkey')
  const region = () => ada.page.getByRole('region', { name: 'What changes' }).last()
  const replacing = { documents: [roleOf('dev', ['reader', 'writer']), roleOf('ops', ['root'])], force: true }

  test('shows added and removed lines by sign and by word, within reach of the keyboard', async () => {
    await program.put({ documents: [roleOf('dev', ['reader', 'old'])] })
    await ada.page.goto((await program.waitForTap('documentsPut', replacing)) ?? '')
    await region().waitFor()
    const heading = await ada.page.getByRole('heading', { level: 1 }).innerText()
    expect(heading).toContain('Create role/ops; replace role/dev')
    const added = await region().getByRole('listitem').filter({ hasText: 'added:' }).allTextContents()
    const removed = await region().getByRole('listitem').filter({ hasText: 'removed:' }).allTextContents()
    expect(added.some((line) => /^\+added: +- writer$/.test(line))).toBe(true)
    expect(removed).toEqual([expect.stringMatching(/^-removed: +- old$/)])
    expect(await region().getAttribute('tabindex')).toBe('0')
    expect(await ada.page.locator('#left').innerText()).toMatch(/^[45]:\d\d minutes$/)
    await picture(ada, 'approve-difference')
    await approve().click()
    const { tap = '' } = await program.answerAt(ada)
    expect((await program.call('POST', '/v1/documents', replacing, { 'sallyport-tap': tap })).status).toBe(200)
  })

  test('a difference that was altered or is missing is not shown, and no key is asked', async () => {
    const [before] = await key.credentials()
    const url = (await program.waitForTap('documentsPut', { documents: [roleOf('third', ['x'])] })) ?? ''
    const other = (await program.waitForTap('documentsPut', { documents: [roleOf('fourth', ['x'])] })) ?? ''
    for (const fragment of [new URL(other).hash, '', '#changes=AAAA']) {
      await ada.page.goto('about:blank')
      await ada.page.goto(url.replace(/#.*/, fragment))
      await expect.poll(() => problem().textContent()).toContain('nothing can be approved')
      expect(await approve().isDisabled()).toBe(true)
      expect(await region().getByRole('listitem').count()).toBe(0)
    }
    await picture(ada, 'approve-altered')
    expect((await key.credentials())[0]?.signCount).toBe(before?.signCount)
  })

  test('"this was not me" ends the login of the program, and says so', async () => {
    await ada.page.goto((await program.waitForTap('documentsPut', { documents: [roleOf('evil', ['root'])] })) ?? '')
    await ada.button('This was not me').click()
    await ada.page.waitForURL('**/account')
    await ada.page.getByText('the login of the program that asked is ended').waitFor()
    await picture(ada, 'disowned')
    expect((await program.call('GET', '/v1/me')).status).toBe(401)
  })
})
