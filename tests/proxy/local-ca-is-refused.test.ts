/** An authority that is not whole, not ours alone or not valid is refused with what to do, and left as it is. */
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SetupProblem } from '../../core/setup-problem.ts'
import { openLocalCa } from '../../proxy/local-ca.ts'
import { newFolder, remove } from '../runtime/launch.ts'
import { atEnd, local, needs } from './proxy.ts'

async function newCa(at = needs.now()) {
  const home = newFolder()
  atEnd(() => remove(home))
  await openLocalCa({ ...needs, now: () => at }, home, local)
  return { home, pem: join(home, 'ca.pem'), key: join(home, 'ca.key') }
}

type Files = Awaited<ReturnType<typeof newCa>>
const years = (count: number) => count * 365 * 24 * 3_600_000

async function problemOf({ home }: Files, names = local): Promise<SetupProblem> {
  const problem = await openLocalCa(needs, home, names).catch((error: unknown) => error)
  if (!(problem instanceof SetupProblem)) throw new Error(`no problem: ${problem}`)
  return problem
}

const broken: readonly (readonly [what: string, spoil: (files: Files) => unknown, message: RegExp, hint: RegExp])[] = [
  ['a missing key', ({ key }) => rmSync(key), /ca\.key is missing, and \S+ca\.pem is there/, /put it back/],
  ['a missing certificate', ({ pem }) => rmSync(pem), /ca\.pem is missing, and \S+ca\.key is there/, /put it back/],
  [
    'a key that its group can read',
    ({ key }) => chmodSync(key, 0o640),
    /ca\.key can be read by others/,
    /chmod 600 \S+ca\.key/,
  ],
  [
    'a key that others can read',
    ({ key }) => chmodSync(key, 0o604),
    /ca\.key can be read by others/,
    /chmod 600 \S+ca\.key/,
  ],
  ['a malformed key', ({ key }) => writeFileSync(key, 'x'), /ca\.key holds no private key/, /PEM/],
  ['a malformed certificate', ({ pem }) => writeFileSync(pem, 'x'), /ca\.pem holds no certificate/, /PEM/],
  [
    'the certificate of another',
    async ({ pem }) => copyFileSync((await newCa()).pem, pem),
    /ca\.key is not the key of \S+ca\.pem/,
    /put the right one back/,
  ],
]

test.each(broken)('%s', async (_, spoil, message, hint) => {
  const files = await newCa()
  await spoil(files)
  const problem = await problemOf(files)
  expect(problem.message).toMatch(message)
  expect(problem.hint).toMatch(hint)
})

test('one that has expired, and one of the future', async () => {
  expect((await problemOf(await newCa(needs.now() - years(11)))).message).toMatch(/ca\.pem has expired on /)
  expect((await problemOf(await newCa(needs.now() + years(1)))).message).toMatch(/ca\.pem is not valid before /)
})

test('one that was made for other names; what lies below its names it may have', async () => {
  const files = await newCa()
  const more = { ...local, dns: ['localhost', 'db.localhost', 'proxy.example.com'] }
  const problem = await problemOf(files, more)
  expect(problem.message).toMatch(/ca\.pem was not made for proxy\.example\.com$/)
  expect(problem.hint).toMatch(/SALLYPORT_PROXY_NAMES/)
})

test('nothing of it is changed', async () => {
  const files = await newCa()
  chmodSync(files.key, 0o644)
  const before = [readFileSync(files.key), readFileSync(files.pem)]
  await problemOf(files)
  expect([readFileSync(files.key), readFileSync(files.pem)]).toEqual(before)
})
