import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { afterEach, describe, expect, test } from 'vitest'
import { cpuOf, kibibytesOf, memoryOf, nanoseconds } from './processes.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill()
})

/** Says a line when it has done `work`, and stays as long as whoever started it. */
const waiting = (work: string) => `${work};console.log('done');process.stdin.on('end', () => process.exit()).resume()`

async function node(script: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child.pid ?? 0
}

const idle = waiting('')
const busy = waiting('for (const end = Date.now() + 300; Date.now() < end; )')
const parentOf = (script: string) =>
  `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}]).stdout.pipe(process.stdout)`

test('nanoseconds are the first of three fields', () => {
  expect(nanoseconds('301819 84025 1\n')).toBe(301_819)
})

test('kibibytesOf reads the line of that very name', () => {
  const rollup = 'Rss:                6400 kB\nPss:                3170 kB\nPss_Dirty:           900 kB\n'
  expect(kibibytesOf('Pss', rollup)).toBe(3170)
})

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('cpuOf counts a process that was busy, and more than one that was not', async () => {
    const [worked, waited] = [await node(busy), await node(idle)]
    expect(cpuOf(worked) - cpuOf(waited)).toBeGreaterThan(50)
    expect(cpuOf(worked)).toBeLessThan(10_000)
  })

  test('cpuOf and memoryOf count the children as well', async () => {
    const [parent, alone] = [await node(parentOf(busy)), await node(idle)]
    expect(cpuOf(parent) - cpuOf(alone)).toBeGreaterThan(50)
    expect(memoryOf(parent)).toBeGreaterThan(1.3 * memoryOf(alone))
  })
})
