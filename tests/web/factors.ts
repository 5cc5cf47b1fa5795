/** Passwords, authenticator apps and recovery codes in the hands of a person at a browser. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { codeAt } from '../factors.ts'
import type { Edge, Key, Person } from './browser.ts'
import type { LocalProgram } from './local-program.ts'

export const bothFactors = { type: 'local', second_factors: ['webauthn', 'otp'], allow_passwords: true }

/** An authenticator app. */
export class App {
  readonly #edge: Edge
  readonly #secret: string

  constructor(edge: Edge, secret: string) {
    this.#edge = edge
    this.#secret = secret
  }

  /** One that was not used: as if the half minutes had passed that a person waits for the next. */
  code(): string {
    inDatabase(this.#edge, (database) => database.exec('update totps set last_step = 0'))
    return codeAt(this.#secret, Date.now())
  }

  /** Six digits that it does not show now. */
  wrongCode(): string {
    const near = [-2, -1, 0, 1, 2].map((steps) => codeAt(this.#secret, Date.now(), steps))
    return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code)) ?? ''
  }
}

export const region = ({ page }: Person, name: string) => page.getByRole('region', { name, exact: true })
export const problem = ({ page }: Person) => page.getByRole('alert').filter({ hasText: /\S/ })

export const isFocused = (element: ReturnType<Person['button']>): Promise<boolean> =>
  element.evaluate((one) => one === document.activeElement)

/** On the account page. */
export async function setPassword(person: Person, password: string): Promise<void> {
  await person.page.getByLabel('New password').fill(password)
  await person.page.getByRole('button', { name: /^(Set a|Change the) password$/ }).click()
}

/** On the account page: asks for the key, as far as the code. */
export async function beginApp(person: Person, edge: Edge, name: string): Promise<App> {
  await person.page.getByLabel('Name of the new app').fill(name)
  await person.button('Add an authenticator app').click()
  const shown = person.page.locator('#app-secret')
  await shown.waitFor()
  return new App(edge, (await shown.innerText()).replaceAll(' ', ''))
}

export async function addApp(person: Person, edge: Edge, name: string): Promise<App> {
  const app = await beginApp(person, edge, name)
  await person.page.getByLabel('Code that the app shows now').fill(app.code())
  await person.button('Add the app').click()
  await person.page.getByText(`The app ${name} was added.`).waitFor()
  return app
}

export async function makeRecoveryCodes(person: Person): Promise<string[]> {
  await person.page.getByRole('button', { name: /^Make (new )?recovery codes$/ }).click()
  await person.page.getByRole('heading', { name: 'Keep these now' }).waitFor()
  return person.page.locator('#codes-list li').allInnerTexts()
}

/** On the sign-in page: name and password, as far as the second factor. */
export async function enterPassword(person: Person, name: string, password: string): Promise<void> {
  await person.page.getByLabel('Name', { exact: true }).fill(name)
  await person.page.getByLabel('Password', { exact: true }).fill(password)
  await person.page.keyboard.press('Enter')
  await person.page.getByRole('heading', { name: 'Your second factor' }).waitFor()
}

export async function signInWithCode(person: Person, code: string): Promise<void> {
  await person.page.getByLabel('Code from your authenticator app').fill(code)
  await person.page.keyboard.press('Enter')
}

/** Goes to the sign-in page with keys that answer nothing, so that no passkey is picked for somebody who does not want it. */
export async function visitSignIn(person: Person, edge: Edge, ...keys: readonly Key[]): Promise<void> {
  for (const key of keys) await key.touched(false)
  await person.page.context().clearCookies({ name: '__Host-sallyport' })
  await person.page.goto(edge.origin)
}

/** As it is after an administrator's reset: whoever it is has what he types, and no passkey. */
export function removePasskeysOf(edge: Edge, name: string): void {
  const whose = '(select id from users where name = ?)'
  inDatabase(edge, (database) =>
    database.prepare(`update credentials set removed_at = 1 where user_id = ${whose}`).run(name),
  )
}

function inDatabase({ home }: Edge, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(home, 'data', 'edge.db'), { timeout: 5000 })
  try {
    work(database)
  } finally {
    database.close()
  }
}

/** Grace Hopper, invited by the program's user: signed in, at her account page. */
export async function joinAsGrace(grace: Person, program: LocalProgram, admin: Person): Promise<Key> {
  const key = await grace.newKey()
  await grace.page.goto(await program.invite(admin, 'Grace Hopper'))
  await grace.button('Register a passkey').click()
  await grace.page.waitForURL('**/account')
  expect(await grace.page.getByRole('heading', { level: 1 }).innerText()).toContain('Grace Hopper')
  return key
}

/** Names of before: no browser takes them here, so no administrator could say so. The put of a role has the edge read anew. */
export async function formerly(edge: Edge, program: LocalProgram, rpIds: readonly string[]): Promise<void> {
  await program.prefer(bothFactors)
  inDatabase(edge, (database) =>
    database
      .prepare(
        "update documents set document = json_set(document, '$.spec.webauthn', json(?)) where kind = 'cluster_auth_preference'",
      )
      .run(JSON.stringify({ former_rp_ids: rpIds })),
  )
  const role = { kind: 'role', version: 'v7', metadata: { name: 'any' }, spec: { options: {}, allow: {}, deny: {} } }
  const { status, text } = await program.call('POST', '/v1/documents', { documents: [role], force: true })
  if (status !== 200) throw new Error(`the role was answered ${status}: ${text}`)
}
