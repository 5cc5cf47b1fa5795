import { forgetCertificate } from '../certificate-logout.ts'
import { command } from '../command.ts'

export default command({
  doing: 'remove the certificate of the app',
  help: `Usage: sallyport app logout NAME

Removes the certificate that "sallyport app login" wrote for the app. Sessions that are open stay
open. A copy of the file would still work until it ends: "sallyport logout", an administrator's
lock, or the end of what your roles allow, ends that.

Examples:
  sallyport app logout wiki
`,
  options: {},
  takes: [1, 1],
  run: async (values, [name = '']) => forgetCertificate(values.profile, name, 'an app', 'sallyport ls'),
})
