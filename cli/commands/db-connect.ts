import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { connectionString, startDatabaseProxy } from '../local-db.ts'
import { impersonateOption } from '../principal.ts'
import { Problem } from '../problem.ts'
import { runProgram } from '../run.ts'
import { SharedTap } from '../shared-tap.ts'
import { debug } from '../term.ts'
import { requireGiven } from '../usage.ts'

export default command({
  doing: 'connect to the database',
  help: `Usage: sallyport db connect NAME --db-user=USER --db-name=NAME [options] [-- PSQL-OPTIONS]

Starts psql with a session on the database. Where a role wants a tap, a page opens before psql
says anything. What follows -- goes to psql as it is, and psql's exit code is this command's.
The database asks for its own password as ever: psql takes it from PGPASSWORD, from ~/.pgpass
(where the host is NAME), or from you. Ctrl-C in psql cannot cancel a query: end psql instead.

Options:
  --db-user=USER   the user of the database
  --db-name=NAME   the database
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --no-browser     do not open a browser, only show the address of the page

Examples:
  sallyport db connect orders --db-user=reader --db-name=app
  sallyport db connect orders --db-user=reader --db-name=app -- -c 'select 1'
`,
  options: { 'db-user': { type: 'string' }, 'db-name': { type: 'string' }, ...impersonateOption, ...browserOption },
  takes: [1, 1],
  passesOn: true,
  run: async (values, [name = ''], passedOn) => {
    const user = requireGiven('--db-user', values['db-user'])
    const database = requireGiven('--db-name', values['db-name'])
    const local = await startDatabaseProxy({
      name,
      profile: values.profile,
      port: 0,
      principal: { db_user: user, db_name: database },
      impersonate: values.impersonate,
      opensBrowser: !values['no-browser'],
      // psql says it, in the same terminal.
      failed: (problem) => debug(problem.message),
      shared: new SharedTap(),
    })
    try {
      return await runProgram(
        'psql',
        [connectionString({ name, port: local.port, user, database }), ...passedOn],
        noPsql,
      )
    } finally {
      local.close()
    }
  },
})

const noPsql = new Problem(
  'failed',
  'psql is not installed',
  'install it (Debian: apt install postgresql-client), or use another program with "sallyport proxy db"',
)
