import { DatabaseSync } from 'node:sqlite'
import { test } from 'vitest'
import { databaseOf, expectRefusedStart, usedHome } from './start.ts'

test('start refuses a database that a newer version wrote, by the migration that it does not know', async () => {
  const home = await usedHome()
  const raw = new DatabaseSync(databaseOf(home))
  raw.exec("insert into d1_migrations (name) values ('9999_later.sql')")
  raw.close()
  await expectRefusedStart(
    { home },
    /written by a newer version \(9999_later\.sql\)/,
    /install that version or a later one/,
  )
})
