/** The edge's side of what proxies know: who asks is a registered proxy, and the answer is stated for its nonce. */
import { publishedOf } from '../issue/keyring.ts'
import type { ClientSessionId, Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import type { ProxyRecord } from '../proxy-ports.ts'
import { claimedProxy, type ProxyRequest, proxyJwk, verifyProxyProof } from '../proxy-proof.ts'
import { Refusal } from '../refusal.ts'
import { type Snapshot, signStatement, snapshotHash } from '../snapshot.ts'

/** @throws Refusal proxy_unproven */
export async function authenticateProxy(
  { proxies, now }: Pick<Ports, 'proxies' | 'now'>,
  proof: string | undefined,
  request: ProxyRequest,
): Promise<ProxyRecord> {
  const id = claimedProxy(proof)
  const proxy = id === undefined ? undefined : await proxies.find(id)
  if (!proxy || proof === undefined) throw new Refusal('proxy_unproven', { why: 'unknown' })
  await verifyProxyProof(proxyJwk(proxy.x), proof, request, now())
  return proxy
}

type Needs = Pick<Ports, 'snapshots' | 'keyring' | 'signingKeys' | 'now'>

export interface SnapshotAnswer {
  /** What is signed: see snapshot.ts. */
  readonly statement: string
  /** Left out where the proxy has it. */
  readonly snapshot: Snapshot | undefined
}

/** What was made last, by its sequence: proxies ask every two seconds, and changes are rare. */
export type SnapshotMemory = {
  last?: { readonly sequence: number; readonly snapshot: Snapshot; readonly hash: string }
}

/** What a proxy asks: `have` is the hash of the snapshot that it has. */
interface SnapshotAsk {
  readonly proxy: ProxyRecord
  readonly nonce: string
  readonly have: string | undefined
  /** Whose end would end sessions there. */
  readonly logins: readonly string[] | undefined
}

export async function stateSnapshot(
  site: Site,
  ports: Needs,
  memory: SnapshotMemory,
  { proxy, nonce, have, logins }: SnapshotAsk,
): Promise<SnapshotAnswer> {
  // Before the read: what is stated is at least as new as this instant.
  const at = ports.now()
  // First: a new cluster makes its keys here, and they are a part of what is stated.
  const signing = await ports.keyring.current()
  const { sequence, logHead, endedSessions, snapshot, hash } = await newest(site, ports, memory, proxy)
  const ended = logins && (await endedOf(ports, logins as readonly ClientSessionId[]))
  const about = { proxy: proxy.id, nonce, sequence, hash, log_head: logHead, at }
  const statement = {
    ...about,
    ...(ended && { ended_logins: ended }),
    ...(endedSessions.length > 0 && { ended_sessions: endedSessions }),
  }
  const signed = await signStatement(site.origin, signing, statement)
  return { statement: signed, snapshot: have === hash ? undefined : snapshot }
}

/** One of which nothing is known was purged long after its end. */
async function endedOf({ snapshots }: Needs, logins: readonly ClientSessionId[]): Promise<ClientSessionId[]> {
  const running = await snapshots.notEnded(logins)
  return logins.filter((id) => !running.has(id))
}

async function newest(
  site: Site,
  { snapshots, signingKeys, now }: Needs,
  memory: SnapshotMemory,
  { id }: Pick<ProxyRecord, 'id'>,
) {
  const { endedSessions, ...head } = await snapshots.head(id, now())
  if (memory.last?.sequence === head.sequence) return { ...memory.last, logHead: head.logHead, endedSessions }
  const { sequence, logHead, content } = await snapshots.read()
  // Out of the database, never out of a copy. Read after the count: what is newer than it says is asked for again.
  const keys = publishedOf(await signingKeys.list(), now()).map(({ kid, x }) => ({ kid, x }))
  const { cluster, origin: issuer, rpId: rp_id } = site
  const snapshot: Snapshot = { v: 1, cluster, issuer, rp_id, ...content, keys }
  const hash = snapshotHash(snapshot)
  memory.last = { sequence, snapshot, hash }
  return { sequence, logHead, endedSessions, snapshot, hash }
}
