import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLocalCa } from '../../proxy/local-ca.ts'
import { newFolder, remove, root } from '../runtime/launch.ts'
import { atEnd, local, needs } from './proxy.ts'

function newHome(): string {
  const folder = newFolder()
  atEnd(() => remove(folder))
  return join(folder, 'home')
}

test('processes that start at once share one authority, whose key is its own', async () => {
  const home = newHome()
  mkdirSync(home)
  const script = `
    import { openLocalCa } from ${JSON.stringify(join(root, 'proxy', 'local-ca.ts'))}
    import { setTimeout } from 'node:timers/promises'
    const random = (length) => crypto.getRandomValues(new Uint8Array(length))
    await setTimeout(Number(process.argv[1]) - Date.now())
    const { certificate } = await openLocalCa({ now: Date.now, random }, ${JSON.stringify(home)}, ${JSON.stringify(local)})
    process.stdout.write(Buffer.from(certificate).toString('hex'))`
  // All are loaded by then, and begin in the same millisecond.
  const at = String(Date.now() + 2500)
  const race = Array.from({ length: 6 }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, at], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    for await (const part of child.stdout) text += part
    return text
  })
  const certificates = new Set(await Promise.all(race))
  const onDisk = new X509Certificate(readFileSync(join(home, 'ca.pem')))
  expect([...certificates]).toEqual([onDisk.raw.toString('hex')])
  expect(readdirSync(home).sort()).toEqual(['ca.key', 'ca.pem'])
  await openLocalCa(needs, home, local)
})

test('everybody may read the certificate, and only its owner the key', async () => {
  const home = newHome()
  const mask = process.umask(0o000)
  try {
    await openLocalCa(needs, home, local)
  } finally {
    process.umask(mask)
  }
  expect(statSync(join(home, 'ca.pem')).mode & 0o777).toBe(0o644)
  expect(statSync(join(home, 'ca.key')).mode & 0o777).toBe(0o600)
})

test('a second start has the same authority', async () => {
  const home = newHome()
  const first = await openLocalCa(needs, home, local)
  expect((await openLocalCa(needs, home, local)).certificate).toEqual(first.certificate)
})
