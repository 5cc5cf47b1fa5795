import process from 'node:process'
import { identityLine, openIdentity } from '../identity.ts'
import { settingsOf } from './settings.ts'

/** Makes the key where there is none. @throws SetupProblem */
export async function identity(config: string | undefined): Promise<number> {
  const needs = { random: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }
  process.stdout.write(`${identityLine(await openIdentity(needs, settingsOf(config).home))}\n`)
  return 0
}
