import type { DbPrincipal } from '../../core/access/resource.ts'
import { mostInSet } from '../../core/access/session-set.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { clientLine } from '../db-clients.ts'
import { startDatabaseProxy } from '../local-db.ts'
import { portOf, serveUntilInterrupted, startAll } from '../local-proxy.ts'
import { impersonateOption, requireNamedOnce } from '../principal.ts'
import { Problem } from '../problem.ts'
import { countOf, countOption, SharedTap } from '../shared-tap.ts'
import { sayProblem } from '../term.ts'

export default command({
  doing: 'start the local proxy',
  help: `Usage: sallyport proxy db NAME... [--port=N] [--db-user=USER] [--db-name=NAME] [options]

Listens on 127.0.0.1 until Ctrl-C, for every program that speaks to the database: psql, mariadb,
redis-cli, mongosh and all others. Each connection is a session of its own: where a role wants a
tap, a page opens for each, one after the other. The program connects without TLS (of Postgres
sslmode=disable): the way from this machine to the proxy has its own. The database asks for its
own password as ever.

Programs of Postgres say as whom they come. Of MySQL, MongoDB and Redis bytes pass as they are, so
both options below are needed, and the database's own sign-in decides. A session of theirs that
does not open is reset, and why stands here. mongosh opens several connections: use --count.

Several are listened for on a port each, and one tap approves them all, as the same user in the
same database: each opens once (with --count, so often) within a minute of it, then the next
connection asks anew.

Whoever may run programs on this machine can connect too, so look at what a page asks.
A query of Postgres cannot be cancelled from the client: end its session instead.

Options:
  --port=N         the port, for programs that keep it: any that is free where not given; of
                   several the first, and the next ones follow
  --db-user=USER   the only user of the database to connect as
  --db-name=NAME   the only database to connect to; of Redis its number
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --count=N        how often one tap opens each: once where not given; with both of the above
  --no-browser     do not open a browser, only show the address of the page

Examples:
  sallyport proxy db orders
  sallyport proxy db orders --port=15432 --db-user=reader --db-name=app
  sallyport proxy db cache --port=16379 --db-user=default --db-name=0
  sallyport proxy db orders stock --db-user=reader --db-name=app --count=4
`,
  options: {
    port: { type: 'string' },
    'db-user': { type: 'string' },
    'db-name': { type: 'string' },
    ...impersonateOption,
    ...countOption,
    ...browserOption,
  },
  takes: [1, mostInSet],
  run: async (values, names) => {
    const { 'db-user': user, 'db-name': database } = values
    const [port, count] = [portOf(values.port), countOf(values.count)]
    const principal = {
      ...(user !== undefined && { db_user: user }),
      ...(database !== undefined && { db_name: database }),
    }
    const shared = sharedBy(names, principal, count)
    const served = await startAll(port, names, async (name, own) => {
      const { local, protocol } = await startDatabaseProxy({
        ...{ name, profile: values.profile, port: own, principal, shared, impersonate: values.impersonate },
        opensBrowser: !values['no-browser'],
        failed: (problem) => sayProblem(`open ${name}`, problem),
      })
      const target = { name, port: local.port, user: user ?? 'USER', database: database ?? 'DATABASE' }
      return { local, what: name, example: clientLine(protocol, target) }
    })
    return serveUntilInterrupted(served)
  },
})

/** One tap for more than one session says beforehand as whom. @throws Problem usage */
function sharedBy(names: readonly string[], { db_user, db_name }: Partial<DbPrincipal>, count: number): SharedTap {
  requireNamedOnce(names)
  if (names.length === 1 && count === 1) return new SharedTap()
  if (db_user !== undefined && db_name !== undefined) {
    const principal = { db_user, db_name }
    return new SharedTap(names.map((name) => ({ resource: { kind: 'db', name }, principal, count })))
  }
  const missing = db_user === undefined ? '--db-user' : '--db-name'
  throw new Problem('usage', `${missing} is not given`, 'one tap for several sessions says as whom, and where')
}
