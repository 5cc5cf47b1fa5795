/** The keys that sign tokens, as several processes over one database see them. */
import { afterEach, describe, expect, test } from 'vitest'
import { type Keyring, makeKeyring, newSigningKey } from '../../../core/issue/keyring.ts'
import { deriveKeys } from '../../../core/keys.ts'
import { type Bytes, base64url, fromBase64url, utf8 } from '../../../core/lib/bytes.ts'
import { hmac, hmacKey } from '../../../core/lib/hash.ts'
import { hours, minutes, seconds } from '../../../core/model.ts'
import type { Ports } from '../../../core/ports.ts'
import { type Kv, textCopies } from '../../../storage/kv.ts'
import { storedPorts } from '../../../storage/ports.ts'
import { openDatabase, type SqliteStore } from '../../../storage/sqlite.ts'
import { newEditor } from '../../storage/contract/editors.ts'
import { newEvent } from '../../storage/contract/world.ts'
import { migrations } from '../../storage/migration-files.ts'

const opened: SqliteStore[] = []
afterEach(() => {
  for (const store of opened.splice(0)) store.close()
})

const key = new Uint8Array(32).fill(7)
const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

/** One database, a KV where wanted, a clock, and processes that share them. */
async function newCluster(kv?: Kv) {
  const store = openDatabase(':memory:', migrations)
  opened.push(store)
  const stored = storedPorts(store)
  const { actor } = await newEditor({ store, ports: stored })
  // As the contract's editor sees it: his login runs then.
  let instant = 1_795_000_000_123
  const now = () => instant
  const lists = { count: 0 }
  const signingKeys: Ports['signingKeys'] = {
    ...stored.signingKeys,
    list: () => {
      lists.count++
      return stored.signingKeys.list()
    },
  }
  const needs = (secret = key) => ({ keys: deriveKeys(secret), random, now, signingKeys, copies: textCopies(kv) })
  return {
    now,
    lists,
    process: (secret?: Bytes) => makeKeyring(needs(secret)),
    advance: (duration: number) => {
      instant += duration
    },
    /** As core/access/cluster.ts does it, in a process that is not looked at. */
    rotate: async () => {
      const rows = await stored.signingKeys.list()
      const [current, next] = rows.slice(-2)
      const added = await newSigningKey(needs(), (next?.generation ?? 0) + 1, undefined)
      await stored.signingKeys.rotate(actor, current?.generation ?? 0, added, newEvent('keys.rotate', { at: now() }))
      return { retired: current?.kid ?? '', current: next?.kid ?? '', next: added.kid }
    },
  }
}

function newKv() {
  const content = new Map<string, string>()
  const calls: string[] = []
  const kv: Kv = {
    get: async (name) => {
      calls.push('get')
      return content.get(name) ?? null
    },
    put: async (name, value) => {
      calls.push('put')
      content.set(name, value)
    },
  }
  return { kv, content, calls }
}

const kidsOf = async (ring: Keyring) => (await ring.published()).map(({ kid }) => kid)
const message = utf8('message')

async function verifies(ring: Keyring, signer: Keyring): Promise<boolean> {
  const { kid, key: signing } = await signer.current()
  const verifier = await ring.verifier(kid)
  if (!verifier) return false
  return crypto.subtle.verify('Ed25519', verifier, await crypto.subtle.sign('Ed25519', signing, message), message)
}

describe('the first keys', () => {
  test('are made by whoever asks first: 20 processes at once agree on one pair', async () => {
    const cluster = await newCluster()
    const processes = Array.from({ length: 20 }, () => cluster.process())
    const kids = await Promise.all(processes.map(async (ring) => (await ring.current()).kid))
    expect(new Set(kids).size).toBe(1)
    const published = await Promise.all(processes.map(kidsOf))
    expect(new Set(published.map(String)).size).toBe(1)
    expect(published[0]).toHaveLength(2)
    expect(await verifies(processes[1]!, processes[0]!)).toBe(true)
  })

  test('are published as RFC 8037 says, by their thumbprints, and nothing private is', async () => {
    const ring = (await newCluster()).process()
    for (const jwk of await ring.published()) {
      expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
      expect(jwk).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' })
      expect(fromBase64url(jwk.x)).toHaveLength(32)
    }
  })

  test('cannot be taken out of a process', async () => {
    const { key: signing } = await (await newCluster()).process().current()
    expect(signing).toMatchObject({ extractable: false, usages: ['sign'] })
  })

  test('do not open under another SALLYPORT_KEY', async () => {
    const cluster = await newCluster()
    await cluster.process().current()
    const other = cluster.process(new Uint8Array(32).fill(8))
    await expect(other.current()).rejects.toThrow(/cannot be opened with SALLYPORT_KEY/)
  })
})

describe('a rotation', () => {
  test('is seen by another process within a minute, which verifies what it signed before and after', async () => {
    const cluster = await newCluster()
    const [one, two] = [cluster.process(), cluster.process()]
    const { kid } = await two.current()
    const rotated = await cluster.rotate()
    one.forget()
    expect((await one.current()).kid).toBe(rotated.current)
    expect((await two.current()).kid).toBe(kid)
    expect(await verifies(one, two)).toBe(true)
    cluster.advance(minutes(1) - 1)
    expect((await two.current()).kid).toBe(kid)
    cluster.advance(1)
    expect((await two.current()).kid).toBe(rotated.current)
  })

  test('refuses no token: a process that read a moment before it asks again for a key that it does not know', async () => {
    const cluster = await newCluster()
    const [one, two] = [cluster.process(), cluster.process()]
    await two.current()
    await cluster.rotate()
    expect(await verifies(two, one)).toBe(true)
  })

  test('leaves the retired key verifying and published for a day, and not longer', async () => {
    const cluster = await newCluster()
    const ring = cluster.process()
    await ring.current()
    const { retired } = await cluster.rotate()
    cluster.advance(hours(24) - 1)
    expect(await ring.verifier(retired)).toBeDefined()
    expect(await kidsOf(cluster.process())).toContain(retired)
    cluster.advance(1)
    expect(await cluster.process().verifier(retired)).toBeUndefined()
    expect(await kidsOf(cluster.process())).not.toContain(retired)
  })
})

describe('verifier', () => {
  test('does not know the next key, which is published: it has signed nothing yet', async () => {
    const ring = (await newCluster()).process()
    const { kid: current } = await ring.current()
    const [next] = (await kidsOf(ring)).filter((kid) => kid !== current)
    expect(next).toBeDefined()
    expect(await ring.verifier(next!)).toBeUndefined()
  })

  test('reads once in five seconds for whatever unknown kids it is asked for', async () => {
    const cluster = await newCluster()
    const ring = cluster.process()
    await ring.current()
    cluster.lists.count = 0
    for (let i = 0; i < 100; i++) expect(await ring.verifier(`unknown ${i}`)).toBeUndefined()
    expect(cluster.lists.count).toBe(1)
    cluster.advance(seconds(5) - 1)
    await ring.verifier('unknown')
    expect(cluster.lists.count).toBe(1)
    cluster.advance(1)
    await ring.verifier('unknown')
    expect(cluster.lists.count).toBe(2)
  })

  test('of a new process reads once for an unknown kid', async () => {
    const cluster = await newCluster()
    await cluster.process().current()
    cluster.lists.count = 0
    expect(await cluster.process().verifier('unknown')).toBeUndefined()
    expect(cluster.lists.count).toBe(1)
  })

  test('reads once a minute for a kid that it knows', async () => {
    const cluster = await newCluster()
    const ring = cluster.process()
    const { kid } = await ring.current()
    cluster.lists.count = 0
    for (let i = 0; i < 100; i++) expect(await ring.verifier(kid)).toBeDefined()
    expect(cluster.lists.count).toBe(0)
    cluster.advance(minutes(1))
    await ring.verifier(kid)
    expect(cluster.lists.count).toBe(1)
  })
})

describe('the copy in KV', () => {
  test('is written once for what was read, and a new process answers from it without the database', async () => {
    const { kv, calls } = newKv()
    const cluster = await newCluster(kv)
    const ring = cluster.process()
    const published = await ring.published()
    for (let i = 0; i < 10; i++) expect(await ring.published()).toEqual(published)
    expect(calls).toEqual(['get', 'put'])
    cluster.lists.count = 0
    expect(await cluster.process().published()).toEqual(published)
    expect(cluster.lists.count).toBe(0)
  })

  test('never verifies anything: that is for the database', async () => {
    const { kv } = newKv()
    const cluster = await newCluster(kv)
    const { kid } = await cluster.process().current()
    await cluster.process().published()
    const other = cluster.process()
    await other.published()
    cluster.lists.count = 0
    expect(await other.verifier(kid)).toBeDefined()
    expect(cluster.lists.count).toBe(1)
  })

  const foreign = [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: 'foreign', alg: 'EdDSA', use: 'sig' }]
  const content = base64url(utf8(JSON.stringify(foreign)))
  const sealedBy = (secret: Bytes) => base64url(hmac(hmacKey(secret), utf8(`jwks\0${content}`)))

  test.each<[string, (copy: string) => string]>([
    ['nothing', () => ''],
    ['a dot', () => '.'],
    ['another content under the old seal', (copy) => `${content}.${copy.split('.')[1]}`],
    ['a seal of another key', () => `${content}.${sealedBy(new Uint8Array(32).fill(9))}`],
    ['no seal', (copy) => copy.split('.')[0] ?? ''],
    ['an empty seal', (copy) => `${copy.split('.')[0]}.`],
    ['a cut seal', (copy) => copy.slice(0, -4)],
    ['text', () => 'null.null'],
  ])('that holds %s is no copy', async (_what, alter) => {
    const { kv, content: kept } = newKv()
    const cluster = await newCluster(kv)
    const published = await cluster.process().published()
    const [name = ''] = kept.keys()
    kept.set(name, alter(kept.get(name) ?? ''))
    expect(await cluster.process().published()).toEqual(published)
  })

  test('that cannot be read or written stops nobody', async () => {
    const failing: Kv = { get: () => Promise.reject(new Error('KV')), put: () => Promise.reject(new Error('KV')) }
    expect(await kidsOf((await newCluster(failing)).process())).toHaveLength(2)
  })
})
