import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { databaseOf, keyOf, usedHome } from './start.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('start makes folders that only their owner opens, and a key that only he reads', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no file modes')
  const home = await usedHome()
  expect(modeOf(home)).toBe('700')
  expect(modeOf(join(home, 'data'))).toBe('700')
  expect(modeOf(keyOf(home))).toBe('600')
})

test('the key lies apart from the data folder, so that a backup of the data does not hold it', async () => {
  const home = await usedHome()
  expect(dirname(keyOf(home))).not.toBe(dirname(databaseOf(home)))
})
