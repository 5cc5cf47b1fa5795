/** From `npm start` to rows in psql: edge, proxy, command, psql and PostgreSQL are all real; a software passkey stands in for fingers. */
import { describe, expect, test } from 'vitest'
import { answerIn } from '../tls-edge.ts'
import { atNewEdgeWithPostgres } from './at-new-edge.ts'
import { dial, reader, startup } from './wire.ts'

describe('a database behind the proxy', () => {
  const at = atNewEdgeWithPostgres()
  const { cli, environment } = at

  const start = (...args: string[]) => cli.start(args, environment())
  const run = (...args: string[]) => start(...args).ended
  const asAda = (...args: string[]) => start(...args, '--profile=ada')
  const psql = (...args: string[]) =>
    start('db', 'connect', 'orders', '--db-user=reader', '--db-name=app', '--no-browser', '--', '-XAt', ...args)

  test('db ls, then db connect: one tap, and the rows of a real database', async () => {
    expect((await run('db', 'ls')).stdout).toMatch(/^orders +reader +app +each session/m)
    const running = psql('-c', "select current_user || ' in ' || current_database()")
    await answerIn(running, at.lea)
    expect(await running.ended).toMatchObject({ code: 0, stdout: 'reader in app\n' })
  })

  test('who says no gets no session, and psql says why', async () => {
    const running = psql('-c', 'select 1')
    await answerIn(running, at.lea, 'no')
    const { code, stderr } = await running.ended
    expect(stderr).toContain('FATAL:  sallyport cannot open orders: it was refused in the browser.')
    expect(code).toBe(2)
  })

  test('somebody without the role sees no database and reaches none', async () => {
    expect((await asAda('db', 'ls', '--format=json').ended).stdout).toBe('[]\n')
    const { code, stderr } = await asAda('proxy', 'db', 'orders').ended
    expect(stderr).toContain('no role of yours reaches a database orders')
    expect(code).toBe(3)
  })

  test('a million rows come through', async () => {
    const running = psql('-c', 'select generate_series(1, 1000000)')
    await answerIn(running, at.lea)
    const { code, stdout } = await running.ended
    expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 1_000_000 })
  })

  test('a lock ends the session that is open, and the next one is refused with its message', async () => {
    const running = start('proxy', 'db', 'orders', '--no-browser')
    const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
    const wire = dial(Number(port))
    wire.send(startup(reader))
    await answerIn(running, at.lea)
    // The database asks for SCRAM: the session is open.
    await wire.until(/SCRAM-SHA-256/)
    await at.people.logIn(at.ada, 'ada')
    const locking = ['admin', 'locks', 'add', '--user=Lea', '--ttl=1h', '--message=Call the office.']
    const locked = await at.people.approved(at.ada, 'ada', locking)
    expect(locked.code).toBe(0)
    await wire.ended
    const again = dial(Number(port))
    again.send(startup(reader))
    await again.ended
    expect(again.said()).toContain('Call the office.')
    expect(await at.people.approved(at.ada, 'ada', ['admin', 'locks', 'rm', locked.stdout.trim()])).toMatchObject({
      code: 0,
    })
    expect((await run('status', '--profile=lea')).code).toBe(0)
  })
})
