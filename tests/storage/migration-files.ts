/** storage/migrations, for processes that load nothing else of the tests. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const migrationsFolder = join(import.meta.dirname, '..', '..', 'storage', 'migrations')

export const migrations = readdirSync(migrationsFolder)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => ({ name, sql: readFileSync(join(migrationsFolder, name), 'utf8') }))
