/** `databases` of another configuration are for the sessions that begin from then on; one that is open goes on. */
import process from 'node:process'
import { expect, test } from 'vitest'
import type { DatabaseCredential } from '../../../proxy/database-credentials.ts'
import { missingPostgres } from '../../postgres.ts'
import { start } from '../parts/started.ts'
import { certify, filesOf, psqlTo } from './certificate.ts'
import { passwordFor, postgresWorld } from './postgres-world.ts'

const missing = missingPostgres()

test('a credential that comes lets in, one that is changed counts, and one that goes lets nobody in', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const world = await postgresWorld()
  const { proxy } = world
  const files = filesOf(proxy, await certify(world))
  const reload = (...databases: readonly DatabaseCredential[]) =>
    proxy.serving.reload({ ...proxy.settings, databases }, proxy.certificates)
  const enter = async () => {
    const psql = psqlTo(proxy, files, ['-w', '-c', 'select current_user'])
    const code = await psql.ended
    return code === 0 ? psql.stdout() : psql.stderr()
  }
  expect(await enter()).toContain('no password supplied')
  await reload(passwordFor())
  expect(await enter()).toBe('reader\n')

  const where = { ...files, host: 'pg-1.localhost', hostaddr: '127.0.0.1', port: proxy.port, user: 'reader' }
  const words = Object.entries({ ...where, dbname: 'orders', sslmode: 'verify-full' }).map((pair) => pair.join('='))
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C' }
  const open = start('psql', ['-XAtqnw', words.join(' ')], env)
  open.child.stdin?.write("select 'is ' || 'open';\n")
  await open.says(/^is open$/m)
  await reload(passwordFor('wrong horse'))
  expect(await enter()).toContain('The database does not let the proxy in as "reader"')
  await reload(passwordFor('correct horse', ['somebody']))
  expect(await enter()).toContain('no password supplied')
  open.child.stdin?.end("select 'still ' || 'open';\n")
  expect(await open.ended, open.stderr()).toBe(0)
  expect(open.stdout()).toBe('is open\nstill open\n')
})
