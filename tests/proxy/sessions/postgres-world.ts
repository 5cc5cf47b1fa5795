/** A world whose database is a real PostgreSQL: its user is reader, its database orders. */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { DatabaseCredential } from '../../../proxy/database-credentials.ts'
import { readerPassword, startPostgres } from '../../postgres.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { newWorld } from './world.ts'

interface Options extends Pick<NonNullable<Parameters<typeof newWorld>[0]>, 'names' | 'certificates'> {
  readonly tap?: boolean
  readonly databases?: readonly DatabaseCredential[]
  readonly settings?: Readonly<Record<string, string>>
}

export async function postgresWorld({ tap = false, databases, settings, ...more }: Options = {}) {
  const postgres = await startPostgres(settings)
  atEnd(postgres.stop)
  postgres.sql('create database orders')
  const database = { uri: `127.0.0.1:${postgres.port}`, port: postgres.port, connections: [], stop: async () => {} }
  return { ...(await newWorld({ tap, database, ...(databases && { databases }), ...more })), postgres }
}

/** The proxy's own credential for pg-1. */
export function passwordFor(password: string = readerPassword, users: readonly string[] = ['reader'], mode = 0o600) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, `${password}\n`, { mode })
  return { resource: 'pg-1', users: new Set(users), passwordFile, certificate: undefined } satisfies DatabaseCredential
}

/** Settings of a server with TLS. It takes a key that root owns and its own group can read. */
export function tlsOf({ pem, key }: { readonly pem: string; readonly key: string }) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  chmodSync(folder, 0o755)
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  writeFileSync(certFile, pem)
  writeFileSync(keyFile, key, { mode: 0o600 })
  if (process.getuid?.() === 0) {
    chownSync(keyFile, 0, Number(spawnSync('id', ['-g', 'postgres'], { encoding: 'utf8' }).stdout))
    chmodSync(keyFile, 0o640)
  }
  return { ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile }
}
