import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectRefusedStart, keyOf, start, usedHome } from './start.ts'

const another = 'A'.repeat(43)

test('start refuses a SALLYPORT_KEY that is not the key of the database, and init does too', async () => {
  const home = await usedHome()
  const env = { SALLYPORT_KEY: another }
  await expectRefusedStart({ home, env }, /SALLYPORT_KEY is not the key of the database/, /SALLYPORT_HOME/)
  const init = await start({ SALLYPORT_HOME: home, ...env }, ['init'])
  expect(init).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('SALLYPORT_KEY is not the key') })
})

test('start takes the key from SALLYPORT_KEY as from its file, and then makes no file', async () => {
  const home = await usedHome({ SALLYPORT_KEY: another })
  expect(() => readFileSync(keyOf(home))).toThrow('ENOENT')
  await expectRefusedStart({ home }, /SALLYPORT_KEY is not set, and its file \S+ is missing/, /put the file back/)
})
