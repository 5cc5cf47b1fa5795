/** Preferences about logins as an administrator puts them. */
import type { Json } from '../core/intent.ts'
import type { Authenticator, RequestOptions } from './authenticator.ts'
import type { Reply, Visitor } from './client.ts'
import { call, type Person, putDocuments } from './people.ts'

export const preferenceOf = (spec: Json): Json => ({
  kind: 'cluster_auth_preference',
  version: 'v2',
  metadata: {},
  spec,
})

/** @throws where the edge refuses it */
export async function prefer(admin: Person, spec: Json, force = true): Promise<Reply> {
  const reply = await uncounted(admin, () => putDocuments(admin, [preferenceOf(spec)], force))
  if (reply.status !== 200) throw new Error(`the preference was answered ${reply.status}: ${reply.text}`)
  return reply
}

/** What the passkey signed before the change that it approves still counts afterwards, as if another had tapped. */
async function uncounted<T>({ edge, passkey }: Person, work: () => Promise<T>): Promise<T> {
  const { counter } = passkey
  const row = edge.store.raw.prepare('select counter from credentials where id = ?').get(passkey.credentialId)
  const done = await work()
  passkey.counter = counter
  edge.store.raw
    .prepare('update credentials set counter = ? where id = ?')
    .run(Number(row?.['counter']), passkey.credentialId)
  return done
}

export const forget = (admin: Person, force = false): Promise<Reply> => {
  const query = force ? '?force=true' : ''
  return call(admin, 'DELETE', `/v1/documents/cluster_auth_preference/cluster-auth-preference${query}`)
}

/** Signs in with a passkey that was made for a relying party of before, as the page offers it. */
export async function loginOfBefore(visitor: Visitor, passkey: Authenticator, rpId: string): Promise<Reply> {
  const begun = await visitor.post('/v1/login/begin', { rp_id: rpId })
  if (begun.status !== 200) return begun
  const { ticket, options } = begun.json as { ticket: string; options: RequestOptions }
  return visitor.post('/v1/login/finish', { ticket, assertion: await passkey.get(options) })
}
