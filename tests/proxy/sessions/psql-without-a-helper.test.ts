/** psql alone: its own certificate, its own TLS, and the database's name below the proxy's. */
import { beforeEach, expect, test } from 'vitest'
import { missingPostgres, readerPassword, startPostgres } from '../../postgres.ts'
import { atEnd, until } from '../proxy.ts'
import { certify, filesOf, psqlTo } from './certificate.ts'
import { eventsOf, newWorld } from './world.ts'

const missing = missingPostgres()
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing)
})

async function postgresWorld(tap: boolean) {
  const postgres = await startPostgres()
  atEnd(postgres.stop)
  postgres.sql('create database orders')
  const uri = `127.0.0.1:${postgres.port}`
  const world = await newWorld({ tap, database: { uri, port: postgres.port, connections: [], stop: async () => {} } })
  return { ...world, postgres }
}

test('rows come by a tapped certificate, and not a second time', async () => {
  const world = await postgresWorld(true)
  const files = filesOf(world.proxy, await certify(world))
  const select = ['-c', "select current_user || ' in ' || current_database()"]
  const first = psqlTo(world.proxy, files, select, { PGPASSWORD: readerPassword })
  expect(await first.ended, first.stderr()).toBe(0)
  expect(first.stdout()).toBe('reader in orders\n')
  const second = psqlTo(world.proxy, files, select, { PGPASSWORD: readerPassword })
  expect(await second.ended).toBe(2)
  expect(second.stderr()).toMatch(/FATAL: {2}Ask for the session again\..*sallyport db login/)
  await until(() => eventsOf(world.edge).length === 3)
  const kinds = eventsOf(world.edge).map(({ kind }) => kind)
  expect(kinds).toEqual(['session.start', 'session.stop', 'session.refuse'])
})

test('without a certificate psql is told what to do', async () => {
  const world = await postgresWorld(false)
  const { sslrootcert } = filesOf(world.proxy, await certify(world))
  const psql = psqlTo(world.proxy, { sslrootcert }, ['-c', 'select 1'], { PGPASSWORD: readerPassword })
  expect(await psql.ended).toBe(2)
  expect(psql.stderr()).toContain('Run "sallyport db login"')
})

test('without TLS psql is told to use it', async () => {
  const world = await postgresWorld(false)
  const psql = psqlTo(world.proxy, { sslmode: 'disable' }, ['-c', 'select 1'])
  expect(await psql.ended).toBe(2)
  expect(psql.stderr()).toContain(
    'FATAL:  This server takes Postgres over TLS alone: connect with sslmode=verify-full.',
  )
})
