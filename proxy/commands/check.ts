import process from 'node:process'
import { certificatesOf } from '../certificates.ts'
import { checkFiles } from '../static-routes.ts'
import { settingsOf } from './settings.ts'

/** With the files that it names; what a start would make is not looked for. @throws SetupProblem with all that is wrong */
export async function check(config: string): Promise<number> {
  const { certificate, names, routes } = settingsOf(config)
  const now = () => Date.now()
  if (certificate) await certificatesOf(certificate, now).first()
  await checkFiles(routes, now)
  process.stdout.write(`${names.dns[0]}: nothing is wrong with it\n`)
  return 0
}
