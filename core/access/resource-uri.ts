/** How a session is named in a token exchange: the program writes it, the edge reads it. */
import { fromBase64url } from '../lib/bytes.ts'
import { Refusal } from '../refusal.ts'
import type { SessionAsk } from './request-session.ts'
import { kindsOfResources } from './resource.ts'
import { principalAsQuery, principalInQuery } from './session-principal.ts'

/** RFC 8707: the resource of a token exchange. One URI that names all that the grant is for. */
export function resourceUri({ resource, principal, proxy, impersonate }: SessionAsk): string {
  const query = new URLSearchParams([['boot', proxy.boot], ...principalAsQuery(principal).map((pair) => [...pair])])
  if (impersonate !== undefined) query.set('impersonate', impersonate)
  return `sallyport://${proxy.id}/${resource.kind}/${resource.name}?${query}`
}

/** @throws Refusal target_invalid */
export function parseResourceUri(text: string): SessionAsk {
  // Not by URL: its host is in lower case, and a proxy's id is not.
  const [, id = '', word = '', name = '', query = ''] =
    /^sallyport:\/\/([A-Za-z0-9_-]{43})\/([a-z_]{1,32})\/([a-z0-9-]{1,63})\?(.{1,4096})$/.exec(text) ?? []
  const kind = kindsOfResources.find((one) => one === word)
  const given = new URLSearchParams(query)
  const [boot, more] = given.getAll('boot')
  const [impersonate, another] = given.getAll('impersonate')
  const isOnce = more === undefined && another === undefined
  if (!kind || !boot || !isOnce || !fromBase64url(boot)) throw new Refusal('target_invalid', { why: 'form' })
  return { resource: { kind, name }, principal: principalInQuery(kind, given), proxy: { id, boot }, impersonate }
}
