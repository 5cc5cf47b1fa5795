/** `send_proxy: v2` on a route for Postgres: the header stands before the request for TLS that the proxy sends in its client's place. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { issue, newCa } from '../../cli/certificates.ts'
import { missingPostgres, readerPassword, startPostgres } from '../../postgres.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { missing, serving } from '../front/front.ts'
import { atEnd } from '../proxy.ts'
import { dialPostgres, psqlTo } from '../sessions/certificate.ts'
import { tlsOf } from '../sessions/postgres-world.ts'
import { filesOf, startRoutes } from './routes.ts'

const lacking = missing('haproxy') ?? missingPostgres()

/** HAProxy takes a connection only with the header, and passes it on without. What it says of its clients: addresses. */
async function startHaproxy(uri: string) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [port, file] = [await freePort(), join(folder, 'haproxy.cfg')]
  writeFileSync(
    file,
    `global
  log stdout format raw local0
defaults
  mode tcp
  log global
  log-format "from %ci:%cp"
  timeout connect 30s
  timeout client 60s
  timeout server 60s
listen all
  bind 127.0.0.1:${port} accept-proxy
  server one ${uri}
`,
  )
  const child = await serving(port, 'haproxy', ['-db', '-f', file])
  let said = ''
  child.stdout?.on('data', (part: string) => {
    said += part
  })
  return { uri: `127.0.0.1:${port}`, said: () => said }
}

test('psql is in by a balancer that wants the header, and the balancer knows whose each connection is', async (context) => {
  if (lacking) return context.skip(lacking)
  const ca = await newCa('CA of the database')
  const postgres = await startPostgres(tlsOf(await issue('a.test', { by: ca, names: ['a.test'] })))
  atEnd(postgres.stop)
  const balancer = await startHaproxy(`127.0.0.1:${postgres.port}`)
  const route = {
    name: 'pg',
    sni: ['a.test'],
    protocol: 'postgres',
    backends: [balancer.uri],
    sendProxy: true,
  } as const
  const proxy = await startRoutes([route])
  const { sslrootcert } = filesOf({ sslrootcert: ca.pem })
  const where = { host: 'a.test', dbname: 'app', sslrootcert }
  const psql = psqlTo(proxy, where, ['-c', 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'], {
    PGPASSWORD: readerPassword,
  })
  expect(await psql.ended, psql.stderr()).toBe(0)
  expect(psql.stdout()).toBe('t\n')

  const client = await dialPostgres({ ...proxy, ca: ca.pem }, { name: 'a.test' })
  const { localPort } = client
  client.destroy()
  await expect.poll(balancer.said, { timeout: 15_000 }).toContain(`from 127.0.0.1:${localPort}\n`)
})
