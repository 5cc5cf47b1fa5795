import { forgetCertificate } from '../certificate-logout.ts'
import { command } from '../command.ts'

export default command({
  doing: 'remove the certificate of the database',
  help: `Usage: sallyport db logout NAME

Removes the certificate that "sallyport db login" wrote for the database. Sessions that are open
stay open. A copy of the file would still work until it ends: "sallyport logout", an
administrator's lock, or the end of what your roles allow, ends that.

Examples:
  sallyport db logout orders
`,
  options: {},
  takes: [1, 1],
  run: async (values, [name = '']) => forgetCertificate(values.profile, name, 'a database', 'sallyport db ls'),
})
