import process from 'node:process'
import { checkCertificates } from '../check-files.ts'
import { settingsOf } from './settings.ts'

/** With the files that it names; what a start would make is not looked for. @throws SetupProblem with all that is wrong */
export function check(config: string): number {
  const { names } = settingsOf(config, (settings, place) => checkCertificates(settings, place, Date.now()))
  process.stdout.write(`${names.dns[0]}: nothing is wrong with it\n`)
  return 0
}
