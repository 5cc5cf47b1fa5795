import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { databaseOf, filesIn, start, usedHome } from './start.ts'

test('start waits for a database that another program holds locked, then says so, without a stack', async () => {
  const home = await usedHome()
  const raw = new DatabaseSync(databaseOf(home))
  raw.exec('begin immediate')
  const before = filesIn(home)
  const { code, stdout, stderr } = await start({ SALLYPORT_HOME: home })
  raw.exec('rollback')
  raw.close()
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^sallyport: error: Cannot start: .*locked.*\nhint: .+\n$/)
  expect(filesIn(home)).toEqual(before)
})
