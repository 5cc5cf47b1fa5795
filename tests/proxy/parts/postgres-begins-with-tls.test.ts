/** Postgres clients of today with a tapped certificate of `db login`: each begins with TLS at once, or asks for it first. */
import { expect, test } from 'vitest'
import { type Command, missingNewer, newer } from '../../house/newer-debian.ts'
import { missingPostgres, readerPassword, startPostgres } from '../../postgres.ts'
import { run } from '../front/front.ts'
import { atEnd } from '../proxy.ts'
import { endsOf } from './log.ts'
import { rowsByPg } from './node-postgres.ts'
import { dbLogin, numbers, numbersAsked } from './postgres.ts'
import { startWorld } from './world.ts'

const lacking = missingPostgres() ?? missingNewer('psql')

test('psql 17 and pg of npm: all rows by each way of beginning, and no use more than was tapped', {
  timeout: 240_000,
}, async (context) => {
  if (lacking) return context.skip(lacking)
  const postgres = await startPostgres()
  atEnd(postgres.stop)
  const world = await startWorld({ tap: true, databases: { orders: `127.0.0.1:${postgres.port}` } })
  const where = await dbLogin(world, '--uses=4')
  const { program, args } = newer('psql') as Command
  const env = { HOME: '/nonexistent', PGPASSWORD: readerPassword }
  const psql = (more: string) => run(program, [...args, '-XAtq', `${where} ${more}`, '-c', numbersAsked], '', { env })
  for (const more of ['sslnegotiation=direct', 'sslnegotiation=postgres']) {
    const { code, stdout, stderr } = await psql(more)
    expect({ code, isWhole: stdout === `${numbers}\n` }, stderr).toEqual({ code: 0, isWhole: true })
  }
  for (const how of ['direct', 'postgres'] as const) {
    const [row] = await rowsByPg(where, readerPassword, how, numbersAsked)
    expect(row?.['numbers'] === numbers, how).toBe(true)
  }
  const fifth = await psql('sslnegotiation=direct')
  expect(fifth.code).toBe(2)
  expect(fifth.stderr).toContain('sallyport db login')
  // Who leaves before the last words are read resets the connection.
  const ends = () =>
    endsOf(world.lines())
      .filter(({ route }) => route === 'sallyport-resources')
      .map(({ alpn = '', code }) => [alpn, code === 'client_reset' ? 'ended' : code].join(' '))
      .sort()
  const direct = Array<string>(3).fill('postgresql ended')
  await expect.poll(ends, { timeout: 15_000 }).toEqual([' ended', ...direct, 'postgresql grant_spent'])
})
