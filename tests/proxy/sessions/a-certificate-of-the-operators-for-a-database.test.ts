/** Under NAME.PROXY an operator's own certificate is shown where there is one, and psql verifies it by whoever issued it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { missingPostgres, readerPassword } from '../../postgres.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { filesOf as pemsOf } from '../routes/routes.ts'
import { certify, filesOf, psqlTo } from './certificate.ts'
import { postgresWorld } from './postgres-world.ts'

const missing = missingPostgres()
const names = { dns: ['localhost', 'proxy.test'], addresses: ['127.0.0.1', '::1'] }

test('psql verifies the operator’s wildcard by his authority; a name that it does not speak for has none', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const ca = await newCa('The operator’s CA')
  const own = await issue('proxy.test', { by: ca, names: ['*.proxy.test'] })
  const { cert: certificate, key } = pemsOf({ cert: own.pem, key: own.key })
  const world = await postgresWorld({ names, certificates: [{ certificate, key }] })
  const files = filesOf(world.proxy, await certify(world))
  const folder = newFolder()
  atEnd(() => remove(folder))
  const sslrootcert = join(folder, 'operator.pem')
  writeFileSync(sslrootcert, ca.pem)
  const ask = (parts: Readonly<Record<string, string>>) =>
    psqlTo(world.proxy, { ...files, ...parts }, ['-c', "select 'in'"], { PGPASSWORD: readerPassword })

  const byOperator = ask({ host: 'pg-1.proxy.test', sslrootcert })
  expect(await byOperator.ended, byOperator.stderr()).toBe(0)
  expect(byOperator.stdout()).toBe('in\n')
  const byAnother = ask({ host: 'pg-1.proxy.test' })
  expect(await byAnother.ended).toBe(2)
  expect(byAnother.stderr()).toContain('certificate verify failed')
  // None speaks for it, and no other is shown in its place.
  const unnamed = ask({ host: 'pg-1.localhost', sslrootcert })
  expect(await unnamed.ended).toBe(2)
  expect(unnamed.stderr()).toContain('unrecognized name')
})
