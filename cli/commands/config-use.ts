import { nearest } from '../../core/access/place.ts'
import { command } from '../command.ts'
import { Problem } from '../problem.ts'
import { profileNames, readProfile, requireName, useProfile } from '../profiles.ts'
import { say } from '../term.ts'

export default command({
  doing: 'choose a profile',
  help: `Usage: sallyport config use NAME

Makes NAME the profile that is used where no --profile is given.

Examples:
  sallyport config use localhost_3443
`,
  options: {},
  takes: [1, 1],
  run: async (_, [given = '']) => {
    const name = requireName(given)
    if (!readProfile(name)) {
      const meant = nearest(name, profileNames())
      const hint = meant === undefined ? 'sallyport config profiles lists them' : `did you mean ${meant}?`
      throw new Problem('failed', `there is no profile ${name}`, hint)
    }
    useProfile(name)
    say(`The current profile is ${name}.`)
    return 'ok'
  },
})
