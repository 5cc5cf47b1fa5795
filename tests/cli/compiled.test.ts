import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newCli } from './run-cli.ts'

/** As for a person, who has told Node of no folder. */
const itsOwn = () => newCli({ NODE_COMPILE_CACHE: '' })

test('what is compiled is kept for the next command, where nobody else reads or writes', async () => {
  const cli = itsOwn()
  expect((await cli.run(['--help'])).code).toBe(0)
  const folder = join(cli.home, '.cache', 'sallyport')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readdirSync(folder)).not.toEqual([])
})

test('in a folder that others may write nothing is looked for and nothing is left', async () => {
  const cli = itsOwn()
  const folder = join(cli.home, '.cache', 'sallyport')
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o777)
  expect((await cli.run(['--help'])).code).toBe(0)
  expect([existsSync(folder), readdirSync(folder)]).toEqual([true, []])
})
