import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectRefusedStart, filesIn, newHome, start } from './start.ts'

test('start refuses a home that cannot be a folder, and names SALLYPORT_HOME', async () => {
  const folder = newHome()
  mkdirSync(folder)
  writeFileSync(join(folder, 'file'), 'something')
  const before = filesIn(folder)
  for (const home of [join(folder, 'file'), join(folder, 'file', 'below')]) {
    const { code, stdout, stderr } = await start({ SALLYPORT_HOME: home })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^sallyport: error: Cannot start: the data folder \S+ cannot be written \(.+\)\nhint: .*SALLYPORT_HOME.*\n$/,
    )
  }
  expect(filesIn(folder)).toEqual(before)
})

test('start refuses a home whose data folder is a file', async () => {
  const home = newHome()
  mkdirSync(home)
  writeFileSync(join(home, 'data'), 'something')
  await expectRefusedStart({ home }, /the data folder \S+ cannot be written/, /SALLYPORT_HOME/)
})

test('start refuses a home whose database is a folder', async () => {
  const home = newHome()
  mkdirSync(join(home, 'data', 'edge.db'), { recursive: true })
  await expectRefusedStart({ home }, /./, /./)
})
