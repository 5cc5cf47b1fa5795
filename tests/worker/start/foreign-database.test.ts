import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { databaseOf, expectRefusedStart, usedHome } from './start.ts'

test('start refuses a database of another program and leaves it as it is', async () => {
  const home = await usedHome()
  const raw = new DatabaseSync(databaseOf(home))
  for (const { name } of raw
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
    .all())
    raw.exec(`pragma foreign_keys = off; drop table ${name}`)
  raw.exec("create table recipes (name text); insert into recipes values ('soup')")
  raw.close()
  await expectRefusedStart({ home }, /the database is not one of Sallyport/, /SALLYPORT_HOME/)
  const after = new DatabaseSync(databaseOf(home), { readOnly: true })
  expect(after.prepare('select * from recipes').all()).toEqual([{ name: 'soup' }])
  after.close()
})
