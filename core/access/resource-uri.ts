/** How a session is named in a token exchange: the program writes it, the edge reads it. */
import { fromBase64url } from '../lib/bytes.ts'
import type { Holder } from '../model.ts'
import { Refusal } from '../refusal.ts'
import { hostTarget } from './host-target.ts'
import type { SessionAsk } from './request-session.ts'
import { kindsOfResources, type ResourceKind } from './resource.ts'
import { principalAsQuery, principalInQuery } from './session-principal.ts'

/** RFC 8707: the resource of a token exchange. One URI that names all that the grant is for. */
export function resourceUri({ resource, principal, proxy, impersonate, certificate }: SessionAsk): string {
  const query = new URLSearchParams([['boot', proxy.boot], ...principalAsQuery(principal).map((pair) => [...pair])])
  if (impersonate !== undefined) query.set('impersonate', impersonate)
  if (certificate) query.set('certificate', certificate.key)
  if (certificate) query.set('uses', String(certificate.uses))
  return `sallyport://${proxy.id}/${resource.kind}/${encodeURIComponent(resource.name)}?${query}`
}

/** A set, through that process of that proxy: what is in it says the tap that comes with it. */
export const setUri = ({ id, boot }: SessionAsk['proxy']): string =>
  `sallyport://${id}/sessions?${new URLSearchParams({ boot })}`

/** One session, or a set. @throws Refusal target_invalid */
export function parseTargetUri(
  text: string,
): { readonly kind: 'one'; readonly ask: SessionAsk } | { readonly kind: 'set'; readonly proxy: SessionAsk['proxy'] } {
  const [, id, boot] = /^sallyport:\/\/([A-Za-z0-9_-]{43})\/sessions\?boot=([A-Za-z0-9_-]{1,128})$/.exec(text) ?? []
  if (id === undefined || boot === undefined) return { kind: 'one', ask: parseResourceUri(text) }
  return { kind: 'set', proxy: { id, boot } }
}

/** @throws Refusal target_invalid */
export function parseResourceUri(text: string): SessionAsk {
  // Not by URL: its host is in lower case, and a proxy's id is not.
  const [, id = '', word = '', segment = '', query = ''] =
    /^sallyport:\/\/([A-Za-z0-9_-]{43})\/([a-z_]{1,32})\/([A-Za-z0-9_.%-]{1,512})\?(.{1,4096})$/.exec(text) ?? []
  const name = nameInUri(segment)
  const kind = kindsOfResources.find((one) => one === word && isNameOf(one, name))
  const given = new URLSearchParams(query)
  const [boot, more] = given.getAll('boot')
  const [impersonate, another] = given.getAll('impersonate')
  const isOnce = more === undefined && another === undefined
  const certificate = certificateInQuery(given)
  if (!kind || !boot || !isOnce || !fromBase64url(boot)) throw new Refusal('target_invalid', { why: 'form' })
  const principal = principalInQuery(kind, given)
  return { resource: { kind, name }, principal, proxy: { id, boot }, impersonate, certificate }
}

/** What a host has that a path has not; the names of resources are what they are. */
const nameInUri = (segment: string): string => segment.replace(/%3A|%5B|%5D/g, decodeURIComponent)

/** A host by its one spelling, anything else by one label. */
const isNameOf = (kind: ResourceKind, name: string): boolean =>
  kind === 'host' ? hostTarget(name) !== undefined : /^[a-z0-9-]{1,63}$/.test(name)

/** What it says is judged where it is asked for. @throws Refusal target_invalid */
function certificateInQuery(query: URLSearchParams): SessionAsk['certificate'] {
  const [keys, counts] = [query.getAll('certificate'), query.getAll('uses')]
  const [key, uses] = [keys[0], counts[0]]
  if (key === undefined && uses === undefined) return undefined
  const isOnce = keys.length === 1 && counts.length === 1
  if (key === undefined || uses === undefined || !isOnce || !/^\d{1,2}$/.test(uses))
    throw new Refusal('target_invalid', { why: 'certificate' })
  return { key: key as Holder, uses: Number(uses) }
}
