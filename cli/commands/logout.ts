import { parseAddress } from '../address.ts'
import { command } from '../command.ts'
import { removeCertificates } from '../db-certificate.ts'
import { fetchThrough } from '../http.ts'
import { revoke } from '../oauth.ts'
import { Problem } from '../problem.ts'
import { profileNames, readProfile, removeProfile, requireProfile } from '../profiles.ts'
import { say } from '../term.ts'

export default command({
  doing: 'sign out',
  help: `Usage: sallyport logout [--all] [--force]

Ends the login at the edge and removes the profile with its key.

Options:
  --all    every profile
  --force  remove the profile even where the edge cannot be reached; the login then ends by itself

Examples:
  sallyport logout
  sallyport logout --all
`,
  options: { all: { type: 'boolean' }, force: { type: 'boolean' } },
  takes: [0, 0],
  run: async (values) => {
    const names = values.all ? profileNames() : [requireProfile(values.profile).name]
    const problems: Problem[] = []
    for (const name of names) {
      const problem = await end(name, values.force ?? false)
      if (problem) problems.push(problem)
    }
    const [first] = problems
    if (first) throw first
    return 'ok'
  },
})

/** One that does not work must not keep the others signed in. */
async function end(name: string, force: boolean): Promise<Problem | undefined> {
  try {
    await endAtEdge(name)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (!force)
      return new Problem(error.exit, `${name}: ${error.message}`, 'try again, or remove it here alone with --force')
    say(`${name}: the login could not be ended at the edge (${error.message}). It ends by itself.`)
  }
  removeProfile(name)
  removeCertificates(name)
  say(`${name}: signed out.`)
  return undefined
}

async function endAtEdge(name: string): Promise<void> {
  const profile = readProfile(name)
  if (profile) await revoke(fetchThrough(parseAddress(profile.proxy), profile.ca, profile.issuer), profile)
}
