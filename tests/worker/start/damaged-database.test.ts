import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'vitest'
import { databaseOf, expectRefusedStart, usedHome } from './start.ts'

const page = 4096
const damaged = [/edge\.db is damaged or no SQLite database/, /restore it from a backup/] as const

function overwrite(file: string, at: number, bytes: Uint8Array): void {
  const handle = openSync(file, 'r+')
  writeSync(handle, bytes, 0, bytes.length, at)
  closeSync(handle)
}

test('start refuses a damaged database and leaves it as it is: header, a page, the end, all of it', async () => {
  const home = await usedHome()
  const file = databaseOf(home)
  const whole = readFileSync(file)
  const middle = Math.floor(statSync(file).size / page / 2) * page
  const damages: (() => void)[] = [
    () => overwrite(file, 0, new Uint8Array(100).fill(0x5a)),
    () => overwrite(file, middle, crypto.getRandomValues(new Uint8Array(page))),
    () => overwrite(file, whole.length - page, new Uint8Array(page)),
    () => truncateSync(file, middle),
    () => writeFileSync(file, 'this was a database'),
  ]
  for (const damage of damages) {
    writeFileSync(file, whole)
    damage()
    await expectRefusedStart({ home }, ...damaged)
  }
})
