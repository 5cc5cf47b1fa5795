/** Contenders that are no proxies, but for one that does not start. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import type { Contender } from './contender.ts'
import { bulk, connections, idle } from './measures.ts'
import { compete } from './rounds.ts'

const stopped: string[] = []
const direct = (name: string): Contender => ({
  name,
  setup: '',
  start: async ({ backend }) => ({
    server: undefined,
    reach: async () => ({ by: 'hello', port: backend }),
    stop: async () => void stopped.push(name),
  }),
})
const settings = { rounds: 2, seconds: 1, concurrency: 2, cpuProf: false }
const folders = () =>
  readdirSync(join(import.meta.dirname, '../../.artifacts')).filter((name) => name.startsWith('plane-'))

describe.skipIf(process.platform !== 'linux')('compete', () => {
  test('measures all of them in each round, turns their order around, and leaves nothing behind', async () => {
    const before = folders()
    const measures = { fresh: idle(2), each: [connections, bulk('download', 1)] }
    const measured = await compete([direct('a'), direct('b')], measures, settings)
    const orders = [...measured].map(([name, rounds]) => [name, rounds.map((round) => [...round.keys()].join(''))])
    expect(Object.fromEntries(orders)).toEqual({ idle_2: ['ab'], connections: ['ab', 'ba'], download_1: ['ab', 'ba'] })
    expect(measured.get('download_1')?.[0]?.get('a')?.['mb_per_second']).toBeGreaterThan(1)
    expect(measured.get('connections')?.[1]?.get('b')?.['connections_per_second']).toBeGreaterThan(1)
    expect(stopped.splice(0)).toEqual(['a', 'b'])
    expect(folders()).toEqual(before)
  })

  test('stops those that run when one does not start', async () => {
    const broken: Contender = { ...direct('broken'), start: () => Promise.reject(new Error('no such port')) }
    const measures = { fresh: idle(2), each: [connections] }
    await expect(compete([direct('a'), broken], measures, settings)).rejects.toThrow('no such port')
    expect(stopped.splice(0)).toEqual(['a'])
  })
})
