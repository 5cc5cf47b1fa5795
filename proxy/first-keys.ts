/**
 * The first keys that this proxy trusts. An operator writes them down; where edge and proxy are one machine's (`npm start`) they are
 * fetched from it once and kept: whoever could lie then could read the proxy's key as well.
 */
import { join } from 'node:path'
import { type Json, membersOf } from '../core/intent.ts'
import { isCoordinate } from '../core/lib/jwk.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import type { EdgeCaller } from './edge-call.ts'
import { proxyFolder } from './identity.ts'
import type { PublishedKey } from './known.ts'
import { readJsonFile, replaceFile } from './own-files.ts'

export interface FirstKeys {
  /** Without asking. undefined: they must be fetched first. @throws SetupProblem */
  kept(): readonly PublishedKey[] | undefined
  get(): Promise<readonly PublishedKey[]>
}

export const pinnedKeys = (keys: readonly PublishedKey[]): FirstKeys => ({ kept: () => keys, get: async () => keys })

export function fetchedKeys(caller: EdgeCaller, home: string): FirstKeys {
  const file = join(proxyFolder(home), 'trusted-keys.json')
  const kept = () => {
    const json = readJsonFile(file)
    if (json === undefined) return undefined
    const keys = readKeys(json)
    if (keys.length > 0) return keys
    throw new SetupProblem(`${file} names no key`, 'remove it: the keys are fetched again from the edge')
  }
  return {
    kept,
    get: async () => {
      const before = kept()
      if (before) return before
      const keys = readKeys(await caller.get('/oauth/jwks'))
      if (keys.length === 0) throw new TypeError('the edge publishes no key')
      replaceFile(file, `${JSON.stringify({ keys }, null, 2)}\n`)
      return keys
    },
  }
}

function readKeys(json: Json): readonly PublishedKey[] {
  const { keys } = membersOf(json)
  if (!Array.isArray(keys)) return []
  return (keys as readonly Json[]).flatMap((one) => {
    const { kid, x } = membersOf(one)
    return typeof kid === 'string' && isCoordinate(x) ? [{ kid, x }] : []
  })
}
