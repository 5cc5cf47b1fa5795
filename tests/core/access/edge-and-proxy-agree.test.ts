/**
 * Edge and proxy decide alike: the edge of what its database says, a second process of the snapshot that the edge made of it. Clusters
 * are generated; each is written as documents and rows, so both read it as they read any.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { parseDocument } from '../../../core/access/document.ts'
import { formatDuration } from '../../../core/access/duration.ts'
import { decideOn, type SessionOn } from '../../../core/access/policy.ts'
import { presetOf } from '../../../core/access/presets.ts'
import type { Principal } from '../../../core/access/principal.ts'
import { isResource } from '../../../core/access/resource.ts'
import { explain, type Why } from '../../../core/access/why.ts'
import type { Json } from '../../../core/intent.ts'
import { newEdge, type TestEdge, terminal } from '../../edge.ts'
import { type Cluster, clusters } from './clusters.ts'
import type { Decided, Question } from './deciding-process.ts'

const count = 10_000

test(`in ${count} clusters edge and proxy say the same, by the same rules, under the same constraints`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  const edge = await newEdge()
  const write = writerOf(edge)
  const proxy = newProcess()
  const seen = new Map<string, number>()
  for (const [i, cluster] of fc.sample(clusters, { numRuns: count, seed }).entries()) {
    write(cluster)
    const ask = {
      resource: { kind: cluster.resource.kind, name: cluster.resource.metadata.name },
      principal: cluster.principal,
    }
    const impersonated = i % 3 === 0 ? bob : undefined
    const [decided, { content }] = await Promise.all([
      impersonated ? decidedAsBob(edge, ask) : explain(edge.ports, asking, { ...ask, user: 'Ada' }).then(decidedOf),
      edge.ports.snapshots.read(),
    ])
    const { cluster: name, origin: issuer, rpId: rp_id } = edge.site
    const snapshot = { v: 1, cluster: name, issuer, rp_id, ...content, keys: [] } as unknown as Json
    proxy.ask({ snapshot, user: 'ada', ask: { ...ask, impersonated }, now: edge.ports.now() }, decided)
    const outcome = decided.because ?? decided.outcome
    for (const key of [`${impersonated ? 'as Bob: ' : ''}${outcome}`, `${cluster.resource.kind} ${outcome}`])
      seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  const disagreed = await proxy.disagreed()
  expect(disagreed, `seed ${seed}`).toEqual([])
  const each = ['allow', 'locked', 'denied', 'not_allowed', 'device_untrusted', 'not_supported']
  for (const one of [
    ...each,
    'as Bob: allow',
    'as Bob: locked',
    'as Bob: not_allowed',
    'as Bob: denied',
    'host allow',
    'host denied',
  ])
    expect(seen.get(one), `${one}, seed ${seed}`).toBeGreaterThan(10)
}, 600_000)

/** Somebody who may ask about everybody. What he may is read of what he holds; who is asked about is read from the database. */
const asking = {
  user: { id: 'root', name: 'Root' },
  roles: ['editor'],
  held: [{ document: presetOf('editor'), revision: undefined }],
  session: { via: 'browser' },
  factorId: 'other',
  asking: terminal,
} as unknown as Principal

const bob = { user: 'bob', name: 'Bob' }

async function decidedAsBob({ ports }: TestEdge, ask: SessionOn): Promise<Decided> {
  const [policy, user, impersonated] = await Promise.all([
    ports.policies.newest(),
    ports.users.withRoles('Ada'),
    ports.users.withRoles('Bob'),
  ])
  if (!user || !impersonated) throw new Error('nobody')
  const found = decideOn(policy, ask, { user, impersonated, now: ports.now() })
  if (!found) throw new Error('no resource')
  const { decision } = found
  const rules = decision.trace().join('; ')
  if (decision.outcome === 'refuse') return { outcome: 'refuse', because: decision.because, rules }
  return { outcome: 'allow', constraints: decision.constraints, rules }
}

function decidedOf({ answer, rules }: Why): Decided {
  if (answer.outcome === 'reach') throw new Error('no decision')
  return { ...answer, rules: rules.join('; ') }
}

/** What each cluster needs and no other: the tables hold one at a time. */
function writerOf({ store: { raw } }: TestEdge): (cluster: Cluster) => void {
  raw.exec(
    "insert into users (id, name, name_key, created_at) values ('ada', 'Ada', 'ada', 0), ('bob', 'Bob', 'bob', 0)",
  )
  const traits = raw.prepare('update users set traits = ? where id = ?')
  const role = raw.prepare('insert into user_roles (user_id, role) values (?, ?)')
  const document = raw.prepare(
    "insert into documents (kind, name, document, revision, updated_at, updated_by) values (?, ?, ?, 'r', 0, 'ada')",
  )
  return (cluster) => {
    raw.exec('begin; delete from documents; delete from user_roles')
    for (const [id, { traits: of = {}, roles }] of Object.entries({ ada: cluster.user, bob: cluster.other })) {
      traits.run(JSON.stringify(of), id)
      for (const name of roles) role.run(id, name)
    }
    for (const one of documentsOf(cluster)) document.run(one.kind, one.metadata.name, JSON.stringify(one))
    raw.exec('commit')
  }
}

function documentsOf({ roles, lockDocuments, resource, preference }: Cluster) {
  const locks = lockDocuments.map((lock, i) => ({ ...lock, metadata: { name: `lock-${i}` } }))
  const said = {
    ...{ type: 'local', second_factor: 'webauthn', require_session_mfa: preference.requireSessionMfa },
    ...{ default_session_ttl: formatDuration(preference.defaultSessionTtl), locking_mode: preference.lockingMode },
    device_trust: { mode: preference.deviceTrust },
  }
  const cap = {
    kind: 'cluster_auth_preference',
    version: 'v2',
    metadata: { name: 'cluster-auth-preference' },
    spec: said,
  }
  return [...roles.values(), ...locks, ...(isResource(resource) ? [resource] : []), cap].map((one) => {
    const parsed = parseDocument(one as unknown as Json)
    if (parsed.kind === 'value') return parsed.value
    throw new Error(`${JSON.stringify(one)}: ${JSON.stringify(parsed.problems)}`)
  })
}

/** Asked without waiting; the answers come in order. */
function newProcess() {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'deciding-process.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const expected: { readonly question: Question; readonly decided: string }[] = []
  const disagreed: { readonly question: Question; readonly edge: string; readonly proxy: string }[] = []
  let answered = 0
  createInterface({ input: child.stdout }).on('line', (proxy) => {
    const found = expected[answered++]
    if (found && proxy !== found.decided) disagreed.push({ question: found.question, edge: found.decided, proxy })
  })
  return {
    ask: (question: Question, decided: Decided) => {
      expected.push({ question, decided: sorted(decided) })
      child.stdin.write(`${JSON.stringify(question)}\n`)
    },
    /** The first few. */
    disagreed: async () => {
      child.stdin.end()
      await once(child, 'close')
      expect(answered).toBe(expected.length)
      return disagreed.slice(0, 3)
    },
  }
}

/** In the order in which the other process writes its members. */
const sorted = ({ outcome, because, constraints, rules }: Decided): string =>
  JSON.stringify({ outcome, because, constraints, rules })
