/** The contract of the ports, the same for node:sqlite and for D1: what each verb does, refuses, and lets happen once. */
import { describe, test } from 'vitest'
import { adding } from './contract/adding.ts'
import { administrators } from './contract/administrators.ts'
import { clusters } from './contract/clusters.ts'
import { ending } from './contract/ending.ts'
import { logins } from './contract/logins.ts'
import { races } from './contract/races.ts'
import { reading } from './contract/reading.ts'
import { removing } from './contract/removing.ts'
import { values } from './contract/values.ts'
import type { World } from './contract/world.ts'

const chapters = { reading, logins, ending, adding, removing, administrators, clusters, values, races }

/** `fresh` answers an empty database, migrated, and the ports over it. */
export function contract(name: string, fresh: () => Promise<World>): void {
  describe(name, () => {
    for (const [chapter, cases] of Object.entries(chapters)) {
      describe(chapter, () => {
        for (const [behaviour, work] of Object.entries(cases)) test(behaviour, async () => work(await fresh()))
      })
    }
  })
}
