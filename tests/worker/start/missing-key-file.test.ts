import { existsSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectRefusedStart, keyOf, usedHome } from './start.ts'

test('start makes no new key beside a database that has one', async () => {
  const home = await usedHome()
  rmSync(keyOf(home))
  await expectRefusedStart({ home }, /SALLYPORT_KEY is not set, and its file \S+key is missing/, /put the file back/)
  expect(existsSync(keyOf(home))).toBe(false)
})
