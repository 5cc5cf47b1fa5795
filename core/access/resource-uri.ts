/** How a session is named in a token exchange: the program writes it, the edge reads it. */
import { fromBase64url } from '../lib/bytes.ts'
import { Refusal } from '../refusal.ts'
import type { SessionAsk } from './request-session.ts'

/** RFC 8707: the resource of a token exchange. One URI that names all that the grant is for. */
export function resourceUri({ resource, principal, proxy }: SessionAsk): string {
  const query = new URLSearchParams({ boot: proxy.boot, ...principal })
  return `sallyport://${proxy.id}/${resource.kind}/${resource.name}?${query}`
}

/** @throws Refusal target_invalid */
export function parseResourceUri(text: string): SessionAsk {
  // Not by URL: its host is in lower case, and a proxy's id is not.
  const [, id = '', name = '', query = ''] =
    /^sallyport:\/\/([A-Za-z0-9_-]{43})\/db\/([a-z0-9-]{1,63})\?(.{1,1024})$/.exec(text) ?? []
  const given = new URLSearchParams(query)
  const [boot, db_user, db_name] = ['boot', 'db_user', 'db_name'].map((one) => given.get(one) ?? '')
  if (id === '' || !boot || !fromBase64url(boot) || !db_user || !db_name)
    throw new Refusal('target_invalid', { why: 'form' })
  return { resource: { kind: 'db', name }, principal: { db_user, db_name }, proxy: { id, boot } }
}
