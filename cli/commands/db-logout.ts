import { command } from '../command.ts'
import { removeCertificate } from '../db-certificate.ts'
import { Problem } from '../problem.ts'
import { requireProfile } from '../profiles.ts'
import { say } from '../term.ts'

export default command({
  doing: 'remove the certificate of the database',
  help: `Usage: sallyport db logout NAME

Removes the certificate that "sallyport db login" wrote for the database. Sessions that are open
stay open. A copy of the file would still work until it ends: an administrator's lock, or the end
of what your roles allow, ends that.

Examples:
  sallyport db logout orders
`,
  options: {},
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const { name: profile } = requireProfile(values.profile)
    if (!/^[a-z0-9-]{1,63}$/.test(name))
      throw new Problem('usage', `${JSON.stringify(name)} is no name of a database`, 'sallyport db ls')
    say(removeCertificate(profile, name) ? `${name}: the certificate is removed.` : `${name}: there was none.`)
    return 'ok'
  },
})
