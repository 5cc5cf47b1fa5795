import type { DbProtocol } from '../../core/access/db.ts'
import { openSession, type Session } from '../api.ts'
import { browserOption } from '../browser.ts'
import { type CertificateWanted, certify, sayHowOften } from '../certify.ts'
import { command, formatOption } from '../command.ts'
import { impersonateOption } from '../principal.ts'
import { Problem } from '../problem.ts'
import { whereIs } from '../proxy-name.ts'
import { type ConnectionParts, connectionParts, inLibpqWords } from '../psql-address.ts'
import { quoted } from '../quoted.ts'
import { protocolOf, requireDatabase } from '../resource.ts'
import { serviceCommand } from '../service-command.ts'
import { showService } from '../service-login.ts'
import { bearerToKeep } from '../session.ts'
import { countOf } from '../shared-tap.ts'
import { type Format, formatOf, print, say, show } from '../term.ts'
import { requireGiven } from '../usage.ts'

export default command({
  doing: 'get a certificate for the database',
  help: `Usage: sallyport db login NAME --db-user=USER --db-name=NAME [--uses=N | --bearer] [options]

Writes a client certificate with which psql, redis-cli, mongosh and every other program that
speaks TLS reaches the database through the proxy by itself: no command runs beside it. Of
Postgres what to write behind psql is printed, of others the very command to type. MySQL's
clients begin without TLS, so theirs goes through openssl.

Where a role wants a tap, a page opens, and the certificate opens a session once (with --uses,
so often) within a minute of it. Where none is wanted it works until the login ends, 12 hours at
most. Whoever can read the file can use it: it is yours alone (mode 0600).

Only of Postgres does the proxy hold clients to user and database; elsewhere they are what your
roles allow and what the tap approves, and the database's own sign-in decides.

Options:
  --db-user=USER   the user of the database
  --db-name=NAME   the database; of Redis its number
  --uses=N         how often one tap opens it, 1 to 16: once where not given
  --bearer         no certificate, but a password that works once within a minute, for programs
                   that take no certificate: Postgres alone, where a role has bearer_grants.
                   Whoever reads it can use it, so the program must verify the server
                   (sslmode=verify-full)
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --no-browser     do not open a browser, only show the address of the page
  --format=text|json|yaml

Examples:
  sallyport db login orders --db-user=reader --db-name=app
  psql "$(sallyport db login orders --db-user=reader --db-name=app --uses=4)"
  eval "$(sallyport db login cache --db-user=default --db-name=0)"
`,
  options: {
    'db-user': { type: 'string' },
    'db-name': { type: 'string' },
    uses: { type: 'string' },
    bearer: { type: 'boolean' },
    ...impersonateOption,
    ...browserOption,
    ...formatOption,
  },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const format = formatOf(values.format)
    const user = requireGiven('--db-user', values['db-user'])
    const database = requireGiven('--db-name', values['db-name'])
    const uses = countOf(values.uses)
    const session = await openSession(values.profile)
    const protocol = protocolOf(await requireDatabase(session, name, values.impersonate))
    const asked = { resource: { kind: 'db', name }, principal: { db_user: user, db_name: database } } as const
    const wanted = { ...asked, uses, impersonate: values.impersonate }
    const opensBrowser = !values['no-browser']
    if (protocol !== 'postgres') {
      if (values.bearer)
        throw new Problem('usage', `${name} speaks ${protocol}, and --bearer is for Postgres`, 'leave it out')
      return loginElsewhere(format, session, { protocol, wanted, user, database }, opensBrowser)
    }
    const parts = connectionParts(session.name, session.profile, { name, user, database })
    if (values.bearer) {
      if (values.uses !== undefined) throw new Problem('usage', '--bearer and --uses are given', 'give one of them')
      const bearer = await bearerToKeep(session, { ...asked, impersonate: values.impersonate }, opensBrowser)
      return showBearer(format, parts, bearer)
    }
    const certificate = await certify(session, wanted, opensBrowser)
    const { file, until } = certificate
    const all = { ...parts, sslcert: file, sslkey: file }
    const more = { uses: certificate.uses, expires_at: new Date(until).toISOString() }
    await show(format, { name, ...all, ...more }, () => print(inLibpqWords(all)))
    if (format === 'text') {
      say(`psql ${quoted(inLibpqWords(all))}`)
      sayHowOften('database', certificate)
    }
    return 'ok'
  },
})

interface Elsewhere {
  readonly protocol: Exclude<DbProtocol, 'postgres'>
  readonly wanted: CertificateWanted
  readonly user: string
  readonly database: string
}

async function loginElsewhere(
  format: Format,
  session: Session,
  { protocol, wanted, ...as }: Elsewhere,
  opensBrowser: boolean,
) {
  const { name } = wanted.resource
  const at = whereIs(name, session.name, session.profile)
  const certificate = await certify(session, wanted, opensBrowser)
  const use = serviceCommand(protocol, { at, file: certificate.file }, as)
  await showService(format, { name, protocol, what: 'database', at, certificate, use })
  return 'ok' as const
}

/** The password stands where a shell takes it from: not among the arguments, which all users of a machine can read. */
async function showBearer(
  format: Format,
  parts: ConnectionParts,
  { handle, lifeMs }: { readonly handle: string; readonly lifeMs: number },
) {
  const until = new Date(Date.now() + lifeMs)
  await show(format, { ...parts, password: handle, uses: 1, expires_at: until.toISOString() }, () =>
    print(`PGPASSWORD=${handle} psql ${quoted(inLibpqWords(parts))}`),
  )
  if (format === 'text') {
    say(`The password opens it once, until ${until.toLocaleTimeString()}, from this machine alone.`)
    say('It is no better than a password: keep sslmode=verify-full, and type it where nobody else can read it.')
  }
  return 'ok' as const
}
