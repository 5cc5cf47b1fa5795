/** A world whose database is a real PostgreSQL: its user is reader, its database orders. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseCredential } from '../../../proxy/database-credentials.ts'
import { readerPassword, startPostgres } from '../../postgres.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { newWorld } from './world.ts'

interface Options {
  readonly tap?: boolean
  readonly databases?: readonly DatabaseCredential[]
  readonly settings?: Readonly<Record<string, string>>
}

export async function postgresWorld({ tap = false, databases, settings }: Options = {}) {
  const postgres = await startPostgres(settings)
  atEnd(postgres.stop)
  postgres.sql('create database orders')
  const database = { uri: `127.0.0.1:${postgres.port}`, port: postgres.port, connections: [], stop: async () => {} }
  return { ...(await newWorld({ tap, database, ...(databases && { databases }) })), postgres }
}

/** The proxy's own credential for pg-1. */
export function passwordFor(password: string = readerPassword, users: readonly string[] = ['reader'], mode = 0o600) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, `${password}\n`, { mode })
  return { resource: 'pg-1', users: new Set(users), passwordFile, certificate: undefined } satisfies DatabaseCredential
}
