import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { dbClients, missingClient } from '../db-clients.ts'
import { startDatabaseProxy } from '../local-db.ts'
import { impersonateOption } from '../principal.ts'
import { runFirst } from '../run.ts'
import { countOf, countOption, SharedTap } from '../shared-tap.ts'
import { debug, sayProblem } from '../term.ts'
import { requireGiven } from '../usage.ts'

export default command({
  doing: 'connect to the database',
  help: `Usage: sallyport db connect NAME --db-user=USER --db-name=NAME [options] [-- ITS-OPTIONS]

Starts the database's own client with a session on it: psql, mariadb (or mysql), redis-cli or
mongosh. Where a role wants a tap, a page opens before the client says anything. What follows --
goes to the client as it is, and its exit code is this command's.

The database asks for its own password as ever. psql takes it from PGPASSWORD, from ~/.pgpass
(where the host is NAME), or from you; mariadb from MYSQL_PWD, or with -- --password from you;
redis-cli from REDISCLI_AUTH or with -- --askpass; mongosh with -- --username=USER. Ctrl-C in psql
cannot cancel a query: end psql instead.

Options:
  --db-user=USER   the user of the database
  --db-name=NAME   the database; of Redis its number
  --impersonate=USER
                   with the rights of this user, where a role of yours lets you act as him
  --count=N        how often one tap opens it: once where not given; mongosh wants several
  --no-browser     do not open a browser, only show the address of the page

Examples:
  sallyport db connect orders --db-user=reader --db-name=app
  sallyport db connect orders --db-user=reader --db-name=app -- -c 'select 1'
  sallyport db connect cache --db-user=default --db-name=0 -- GET greeting
  sallyport db connect docs --db-user=ada --db-name=app --count=8 -- --username=ada
`,
  options: {
    'db-user': { type: 'string' },
    'db-name': { type: 'string' },
    ...impersonateOption,
    ...countOption,
    ...browserOption,
  },
  takes: [1, 1],
  passesOn: true,
  run: async (values, [name = ''], passedOn) => {
    const user = requireGiven('--db-user', values['db-user'])
    const database = requireGiven('--db-name', values['db-name'])
    const principal = { db_user: user, db_name: database }
    const sessions = [{ resource: { kind: 'db', name }, principal, count: countOf(values.count) } as const]
    const started = startDatabaseProxy({
      ...{ name, profile: values.profile, port: 0, principal, impersonate: values.impersonate },
      opensBrowser: !values['no-browser'],
      failed: (problem, spoken) => {
        // Where the client says it, it does so in the same terminal. One that does not tries once more by itself.
        if (dbClients[spoken].saysWhy) return debug(problem.message)
        sayProblem(`open ${name}`, problem)
        void started.then((one) => one.local.close())
      },
      shared: new SharedTap(sessions),
    })
    const { local, protocol } = await started
    const client = dbClients[protocol]
    try {
      const args = client.args({ name, port: local.port, user, database }, passedOn)
      return await runFirst(client.programs, args, missingClient(client))
    } finally {
      local.close()
    }
  },
})
