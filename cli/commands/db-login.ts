import { openSession, type Session } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { keepCertificate, newCertificateKeys, thumbprintOf } from '../db-certificate.ts'
import { inLibpqWords } from '../local-db.ts'
import { impersonateOption } from '../principal.ts'
import { Problem } from '../problem.ts'
import { type ConnectionParts, connectionParts } from '../psql-address.ts'
import { quoted } from '../quoted.ts'
import { requireDatabase } from '../resource.ts'
import { bearerToKeep, grantToKeep } from '../session.ts'
import { countOf } from '../shared-tap.ts'
import { type Format, formatOf, print, say, show } from '../term.ts'
import { requireGiven } from '../usage.ts'

export default command({
  doing: 'get a certificate for the database',
  help: `Usage: sallyport db login NAME --db-user=USER --db-name=NAME [--uses=N | --bearer] [options]

Writes a client certificate with which psql, and every other program that speaks to Postgres
over TLS, reaches the database through the proxy by itself: no command runs beside it. What to
write behind psql is printed.

Where a role wants a tap, a page opens, and the certificate opens a session once (with --uses,
so often) within a minute of it. Where none is wanted it works until the login ends, 12 hours at
most. Whoever can read the file can use it: it is yours alone (mode 0600).

Options:
  --db-user=USER   the user of the database
  --db-name=NAME   the database
  --uses=N         how often one tap opens it, 1 to 16: once where not given
  --bearer         no certificate, but a password that works once within a minute, for programs
                   that take no certificate: where a role has bearer_grants. Whoever reads it
                   can use it, so the program must verify the server (sslmode=verify-full)
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --no-browser     do not open a browser, only show the address of the page
  --format=text|json|yaml

Examples:
  sallyport db login orders --db-user=reader --db-name=app
  psql "$(sallyport db login orders --db-user=reader --db-name=app --uses=4)"
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
    await requireDatabase(session, name, values.impersonate)
    const parts = connectionParts(session.name, session.profile, { name, user, database })
    if (values.bearer) {
      if (values.uses !== undefined) throw new Problem('usage', '--bearer and --uses are given', 'give one of them')
      const asked = { resource: { kind: 'db', name }, principal: { db_user: user, db_name: database } } as const
      const more = { impersonate: values.impersonate }
      return showBearer(format, parts, await bearerToKeep(session, { ...asked, ...more }, !values['no-browser']))
    }
    const wanted = { name, user, database, uses, impersonate: values.impersonate }
    const { file, until, tapped } = await certify(session, wanted, !values['no-browser'])
    const all = { ...parts, sslcert: file, sslkey: file }
    await show(format, { name, ...all, uses: tapped ? uses : null, expires_at: new Date(until).toISOString() }, () =>
      print(inLibpqWords(all)),
    )
    if (format === 'text') explain(all, tapped ? uses : undefined, until)
    return 'ok'
  },
})

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

interface Wanted {
  readonly name: string
  readonly user: string
  readonly database: string
  readonly uses: number
  readonly impersonate: string | undefined
}

/** The key is new each time: an old certificate opens nothing by a new grant. */
async function certify(session: Session, { name, user, database, uses, impersonate }: Wanted, opensBrowser: boolean) {
  const keys = await newCertificateKeys()
  const certificate = { key: await thumbprintOf(keys), uses }
  const principal = { db_user: user, db_name: database }
  const asked = { resource: { kind: 'db', name }, principal, impersonate, certificate } as const
  const { grant, lifeMs, tapped } = await grantToKeep(session, asked, opensBrowser)
  const until = Date.now() + lifeMs
  return { file: await keepCertificate(session.name, name, keys, { grant, until }), until, tapped }
}

function explain(parts: ConnectionParts, uses: number | undefined, until: number): void {
  const often = uses === undefined ? 'as often as you like' : uses === 1 ? 'once' : `${uses} times`
  say(`psql ${quoted(inLibpqWords(parts))}`)
  say(`It opens the database ${often}, until ${new Date(until).toLocaleTimeString()}.`)
}
