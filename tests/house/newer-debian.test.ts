/** Programs of another release come under Debian's signatures, or not at all. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder, remove } from '../runtime/launch.ts'
import { fetchInto } from './newer-debian.ts'
import { quietly } from './quiet.ts'

test('a mirror that shows no signature of Debian is not believed', (context) => {
  if (!quietly('apt-get', ['--version']).ok) return context.skip('apt is not installed')
  const folder = newFolder()
  onTestFinished(() => remove(folder))
  const dist = join(folder, 'mirror', 'dists', 'trixie')
  mkdirSync(dist, { recursive: true })
  writeFileSync(join(dist, 'Release'), 'Origin: Debian\nCodename: trixie\nComponents: main\n')
  const failed = fetchInto(folder, `file:${join(folder, 'mirror')}`)
  expect(failed?.output).toMatch(/ is not signed\./)
})
