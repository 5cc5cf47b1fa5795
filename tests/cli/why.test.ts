/** why: what is allowed or refused, as people and as programs read it. */
import { expect, test } from 'vitest'
import { newSessionProxy } from './db/session-proxy.ts'
import { newCli } from './run-cli.ts'
import { signedIn } from './tls-edge.ts'

test('a session that is allowed, one that is refused, and as whom the roles reach it', async () => {
  const proxy = await newSessionProxy({ tap: true })
  const cli = await signedIn(proxy.front)
  const asked = ['why', 'db:orders', '--db-user=reader', '--db-name=app']
  expect(await cli.run(asked)).toEqual({
    code: 0,
    stdout: `db:       orders
user:     Ada
answer:   allowed
told:     Ada may open orders (user reader, database app).
rule:     access: allow.db_labels, allow.db_users, allow.db_names does not match
rule:     auditor: allow.db_labels, allow.db_users, allow.db_names does not match
rule:     editor: allow.db_labels, allow.db_users, allow.db_names does not match
rule:     reader: allows
session:  a tap of its own, 12h at most
It wants a tap of a passkey, on a page that opens first.
  sallyport db connect orders --db-user=reader --db-name=app
`,
    stderr: '',
  })
  expect(JSON.parse((await cli.run([...asked, '--format=json'])).stdout)).toMatchObject({
    resource: { kind: 'db', name: 'orders' },
    principal: { db_user: 'reader', db_name: 'app' },
    ...{ user: 'Ada', outcome: 'allow', constraints: { tap: true, max_ttl: 43_200 } },
  })
  const refused = await cli.run(['why', 'db:orders', '--db-user=admin', '--db-name=app', '--user=ada'])
  expect(refused.code).toBe(0)
  expect(refused.stdout).toContain(`answer:  refused: not allowed
told:    No role of yours allows orders (user admin, database app).
`)
  expect(refused.stdout).toContain(`rule:    reader: allow.db_users does not match
Your roles allow --db-user=reader and --db-name=app there.
  sallyport db connect orders --db-user=reader --db-name=app
`)
  expect((await cli.run(['why', 'db:orders'])).stdout).toBe(`db:      orders
user:    Ada
answer:  reached
told:    A role of Ada reaches orders.
allow:   reader: --db-user=reader --db-name=app
`)
  expect((await cli.run(['why', 'db:orders', '--format=yaml'])).stdout).toContain('outcome: reach\n')
})

test('an event by the id that the audit log shows, and by the request that a refusal names', async () => {
  const proxy = await newSessionProxy()
  const cli = await signedIn(proxy.front)
  const failed = await cli.run(['db', 'connect', 'orders', '--db-user=admin', '--db-name=app'], undefined)
  expect(failed.code).not.toBe(0)
  const { stdout } = await cli.run(['admin', 'audit', 'ls', '--kind=session.approve', '--format=json'])
  const [{ seq, request_id: request }] = JSON.parse(stdout)
  expect((await cli.run(['admin', 'audit', 'ls', '--kind=session.approve'])).stdout).toMatch(
    new RegExp(`^${seq} `, 'm'),
  )
  const byNumber = await cli.run(['why', `--event=${seq}`])
  expect(byNumber.stdout).toMatch(
    new RegExp(
      `^event: +${seq} \\(request ${request}\\)\nat: .*\nwhat: +session.approve of orders\nuser: +Ada\nanswer: +refused: session_refused\nbecause: +not allowed\nrule: `,
    ),
  )
  expect(byNumber.stdout).toContain('told:     No role of yours allows orders (user admin, database app). Your roles')
  expect((await cli.run(['why', `--event=${request}`])).stdout).toBe(byNumber.stdout)
  const [event] = JSON.parse((await cli.run(['why', `--event=${request}`, '--format=json'])).stdout)
  expect(event).toMatchObject({ seq, request_id: request, because: 'not_allowed' })
  const none = await cli.run(['why', '--event=99999999'])
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('hint: See what happened, with its numbers') })
})

test('a resource that is not there: exit 1, and nothing of what there is', async () => {
  const proxy = await newSessionProxy()
  const cli = await signedIn(proxy.front)
  const { code, stdout, stderr } = await cli.run(['why', 'node:nowhere', '--login=root'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('hint: No role of yours reaches a host of this name, or there is none.')
})

test.each([
  [[], 'nothing is asked about'],
  [['orders'], 'orders is not KIND:NAME'],
  [['dbs:orders'], 'there is no kind dbs\nhint: kinds are node, db, '],
  [['db:orders', '--login=root'], 'the kind db has no --login\nhint: it takes --db-user and --db-name'],
  [['db:orders', '--db-user=reader'], '--db-name is not given'],
  [['db:orders', '--event=1'], 'an event stands alone'],
  [['app:wiki', '--login=x'], 'the kind app has no --login'],
])('why %j: exit 2', async (args, says) => {
  const { code, stdout, stderr } = await newCli().run(['why', ...args])
  expect(stderr).toContain(says)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
})
