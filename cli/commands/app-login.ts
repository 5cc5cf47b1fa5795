import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { certify } from '../certify.ts'
import { command, formatOption } from '../command.ts'
import { impersonateOption } from '../principal.ts'
import { whereIs } from '../proxy-name.ts'
import { requireResource } from '../resource.ts'
import { listeningWith, throughOpenssl } from '../service-command.ts'
import { showService } from '../service-login.ts'
import { countOf } from '../shared-tap.ts'
import { formatOf } from '../term.ts'

export default command({
  doing: 'get a certificate for the app',
  help: `Usage: sallyport app login NAME [--uses=N] [options]

Writes a client certificate with which a program that can say which protocol it means (ALPN
"sallyport-tcp") reaches the app through the proxy by itself: no command runs beside it. The
command that joins standard input and output to the app is printed. Browsers and whatever heeds
HTTPS_PROXY are better served by "sallyport proxy http".

Where a role wants a tap, a page opens, and the certificate opens a session once (with --uses,
so often) within a minute of it. Where none is wanted it works until the login ends, 12 hours at
most. Whoever can read the file can use it: it is yours alone (mode 0600).

Options:
  --uses=N         how often one tap opens it, 1 to 16: once where not given
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --no-browser     do not open a browser, only show the address of the page
  --format=text|json|yaml

Examples:
  sallyport app login wiki
`,
  options: { uses: { type: 'string' }, ...impersonateOption, ...browserOption, ...formatOption },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const format = formatOf(values.format)
    const uses = countOf(values.uses)
    const { impersonate } = values
    const session = await openSession(values.profile)
    const resource = { kind: 'app', name } as const
    await requireResource(session, resource, impersonate)
    const at = whereIs(name, session.name, session.profile)
    const certificate = await certify(session, { resource, principal: {}, uses, impersonate }, !values['no-browser'])
    const joined = throughOpenssl({ at, file: certificate.file }, 'sallyport-tcp')
    const use = { command: joined, more: [listeningWith(8080, joined)] }
    await showService(format, { name, protocol: 'tcp', what: 'app', at, certificate, use })
    return 'ok'
  },
})
