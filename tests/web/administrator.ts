import type { Browser } from 'playwright-core'
import { type Edge, type Key, openBrowser, Person, startEdge } from './browser.ts'
import { LocalProgram } from './local-program.ts'

/** What most tests of pages begin with: the first administrator, signed in at a browser and at a program of this machine. */
export interface Administered {
  readonly browser: Browser
  readonly edge: Edge
  readonly ada: Person
  readonly key: Key
  readonly program: LocalProgram
  end(): Promise<void>
}

/** undefined: there is no Chromium here. */
export async function startWithAdministrator(): Promise<Administered | undefined> {
  const browser = await openBrowser()
  if (!browser) return undefined
  const ends: (() => Promise<unknown>)[] = [() => browser.close()]
  const end = async () => {
    for (const each of ends) await each()
  }
  try {
    const edge = await startEdge()
    ends.push(() => edge.end())
    const ada = await Person.at(browser)
    const key = await ada.newKey()
    await ada.registerFirst(edge)
    const program = await LocalProgram.at(edge)
    ends.splice(1, 0, () => program.end())
    await program.loginOf(ada)
    return { browser, edge, ada, key, program, end }
  } catch (error) {
    await end()
    throw error
  }
}
