import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { connectionString, startDatabaseProxy } from '../local-db.ts'
import { portOf, serveUntilInterrupted } from '../local-proxy.ts'
import { impersonateOption } from '../principal.ts'
import { quoted } from '../profiles.ts'
import { sayProblem } from '../term.ts'

export default command({
  doing: 'start the local proxy',
  help: `Usage: sallyport proxy db NAME [--port=N] [--db-user=USER] [--db-name=NAME] [options]

Listens on 127.0.0.1 until Ctrl-C, for psql and every other program that speaks to Postgres.
Each connection is a session of its own: where a role wants a tap, a page opens for each, one
after the other. The program connects without TLS (sslmode=disable): the way from this machine
to the proxy has its own. The database asks for its own password as ever.

Whoever may run programs on this machine can connect too, so look at what a page asks.
A query cannot be cancelled from the client: end its session instead.

Options:
  --port=N         the port, for programs that keep it: any that is free where not given
  --db-user=USER   the only user of the database to connect as
  --db-name=NAME   the only database to connect to
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --no-browser     do not open a browser, only show the address of the page

Examples:
  sallyport proxy db orders
  sallyport proxy db orders --port=15432 --db-user=reader --db-name=app
`,
  options: {
    port: { type: 'string' },
    'db-user': { type: 'string' },
    'db-name': { type: 'string' },
    ...impersonateOption,
    ...browserOption,
  },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const { 'db-user': user, 'db-name': database } = values
    const local = await startDatabaseProxy({
      name,
      profile: values.profile,
      port: portOf(values.port),
      principal: { ...(user !== undefined && { db_user: user }), ...(database !== undefined && { db_name: database }) },
      impersonate: values.impersonate,
      opensBrowser: !values['no-browser'],
      failed: (problem) => sayProblem(`open ${name}`, problem),
    })
    const target = { name, port: local.port, user: user ?? 'USER', database: database ?? 'DATABASE' }
    return serveUntilInterrupted(local, `psql ${quoted(connectionString(target))}`)
  },
})
