import { writeFileSync } from 'node:fs'
import { test } from 'vitest'
import { expectRefusedStart, keyOf, usedHome } from './start.ts'

test('start refuses a malformed SALLYPORT_KEY and does not repeat it', async () => {
  const home = await usedHome()
  for (const key of ['secret', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}=`, `${'A'.repeat(42)}+`]) {
    const what = /Cannot start: SALLYPORT_KEY is not 32 bytes in base64url$/
    await expectRefusedStart({ home, env: { SALLYPORT_KEY: key } }, what, /43 letters, digits, - and _/)
  }
})

test('start refuses a key file that holds no key, and does not replace it', async () => {
  const home = await usedHome()
  for (const content of ['', 'not a key\n', 'A'.repeat(86)]) {
    writeFileSync(keyOf(home), content)
    await expectRefusedStart({ home }, /key does not hold a key$/, /put the file back/)
  }
})
