/** `cert` and `key` of `databases`: the proxy lets itself in by a client certificate, and no password is anywhere. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DbDocument } from '../../../core/access/db.ts'
import { type Issued, issue, newCa } from '../../cli/certificates.ts'
import { missingPostgres, readerPassword } from '../../postgres.ts'
import { pgDocument, putDocuments } from '../../proxies.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { filesOf as pemsOf } from '../routes/routes.ts'
import { certify, filesOf, psqlTo } from './certificate.ts'
import { postgresWorld, tlsOf } from './postgres-world.ts'

const missing = missingPostgres()

/** As whom the certificate is issued is who the server takes it for. */
function credentialOf({ pem, key }: Issued) {
  const files = pemsOf({ cert: pem, key })
  chmodSync(files.key, 0o600)
  const certificate = { certificate: files.cert, key: files.key }
  return { resource: 'pg-1', users: '*', passwordFile: undefined, certificate } as const
}

test('a server that takes nothing but certificates lets the proxy in with the right one alone', async (context) => {
  if (missing !== undefined) return context.skip(missing)
  const ca = await newCa('CA')
  const [server, reader, somebody] = await Promise.all([
    issue('127.0.0.1', { by: ca, ips: ['127.0.0.1'] }),
    // The clock of this world is ahead of the server's.
    issue('reader', { by: ca, until: 3650 }),
    issue('somebody', { by: ca, until: 3650 }),
  ])
  const folder = newFolder()
  atEnd(() => remove(folder))
  chmodSync(folder, 0o755)
  const [hba, authority] = [join(folder, 'hba.conf'), join(folder, 'ca.pem')]
  writeFileSync(hba, 'local all postgres trust\nhostssl all all 127.0.0.1/32 cert\n')
  writeFileSync(authority, ca.pem)
  const settings = { ...tlsOf(server), ssl_ca_file: authority, hba_file: hba }
  const world = await postgresWorld({ databases: [credentialOf(reader)], settings })
  const { proxy } = world
  const document = pgDocument('pg-1', { uri: world.database.uri }) as DbDocument
  const tls = { mode: 'verify-full', ca_cert: ca.pem } as const
  await putDocuments(world.admin, { ...document, spec: { ...document.spec, tls } })
  await proxy.serving.trust.ask()
  const files = filesOf(proxy, await certify(world))
  const query = 'select client_dn from pg_stat_ssl where pid = pg_backend_pid()'
  const enter = () => psqlTo(proxy, files, ['-w', '-c', query], { PGPASSWORD: readerPassword })

  const psql = enter()
  expect(await psql.ended, psql.stderr()).toBe(0)
  expect(psql.stdout()).toBe('/CN=reader\n')
  for (const databases of [[credentialOf(somebody)], []]) {
    await proxy.serving.reload({ ...proxy.settings, databases }, proxy.certificates)
    const refused = enter()
    expect(await refused.ended).toBe(2)
    expect(refused.stdout()).toBe('')
  }
})
