/** A snapshot made ready to be asked. What this version cannot read whole it does not use: half a policy is a hole. */
import { type PolicyDocument, parseDocument } from '../core/access/document.ts'
import type { Known } from '../core/access/open-session.ts'
import { policyOf } from '../core/access/policy.ts'
import { type Json, membersOf } from '../core/intent.ts'
import { fromBase64url, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { importPublicJwk } from '../core/lib/jwk.ts'
import { siteUnder } from '../core/login/relying-party.ts'
import type { CredentialId } from '../core/model.ts'
import { proxyJwk } from '../core/proxy-proof.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { importPublicKey } from '../core/tap/public-key.ts'

/** Signing keys of the edge, by kid. */
export type EdgeKeys = ReadonlyMap<string, CryptoKey>

export interface PublishedKey {
  readonly kid: string
  readonly x: string
}

/** Points that are no key are left out: they verify nothing. */
export async function importKeys(keys: readonly PublishedKey[]): Promise<EdgeKeys> {
  const imported = await Promise.all(keys.map(async ({ kid, x }) => [kid, await importPublicJwk(proxyJwk(x))] as const))
  return new Map(imported.flatMap(([kid, key]) => (key ? [[kid, key] as const] : [])))
}

/** By its form alone; its hash says whether it is the edge's. @throws TypeError naming what this version does not know */
export function readSnapshot(json: Json | undefined): Snapshot {
  const snapshot = membersOf(json)
  const { v, users, credentials, documents, keys } = snapshot
  if (v !== 1) throw new TypeError(`a snapshot of version ${JSON.stringify(v)}`)
  if (![users, credentials, documents, keys].every(Array.isArray)) throw new TypeError('a snapshot without its lists')
  for (const document of documents as readonly Json[]) requireDocument(document)
  return snapshot as unknown as Snapshot
}

function requireDocument(json: Json): void {
  const parsed = parseDocument(json)
  if (parsed.kind === 'value' && parsed.value.kind !== 'user') return
  const { kind, metadata } = membersOf(json)
  const name = membersOf(metadata)['name']
  const problem = parsed.kind === 'invalid' ? parsed.problems[0]?.message : 'users stand in a list of their own'
  throw new TypeError(`${String(kind)} ${String(name)}: ${problem}`)
}

export function knownOf({ cluster, issuer, rp_id, users, credentials, documents }: Snapshot): Known {
  const byId = new Map(credentials.map((one) => [one.id, one]))
  const holders = new Set(credentials.map(({ user }) => user))
  const imported = new Map<CredentialId, ReturnType<typeof importPublicKey>>()
  const policy = policyOf(documents as readonly PolicyDocument[])
  const site = { cluster, origin: issuer, rpId: rp_id, rpIdHash: sha256(utf8(rp_id)) }
  return {
    site: siteUnder(site, policy.preference),
    users: new Map(users.map((user) => [user.id, user])),
    ...policy,
    hasPasskey: (user) => holders.has(user),
    credential: async (id) => {
      const found = byId.get(id)
      if (!found) return undefined
      const importing = imported.get(id) ?? importPublicKey(fromBase64url(found.key) ?? new Uint8Array())
      imported.set(id, importing)
      const key = await importing
      return key && { userId: found.user, kind: found.kind ?? 'passkey', publicKey: key }
    },
  }
}
