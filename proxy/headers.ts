/** What of a message's head goes on to the next hop (RFC 9110 section 7.6.1), and what is ours to say. */

/** Names and values in turn, as they came: `rawHeaders`. */
export type Fields = readonly string[]

/** Of one connection alone. `Expect` is answered here. */
const hopByHop = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Where a request comes from says this proxy, from its socket: what a client claims of itself is dropped. */
const claims =
  /^(forwarded|via|x-forwarded(-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|fastly-client-ip|cf-connecting-ip(v6)?)$/

function* pairs(fields: Fields): Generator<readonly [name: string, value: string]> {
  for (let i = 0; i + 1 < fields.length; i += 2) yield [fields[i] as string, fields[i + 1] as string]
}

/** Some libraries take an underscore for a dash. */
const plainName = (name: string) => name.toLowerCase().replaceAll('_', '-')

export const valuesOf = (fields: Fields, wanted: string): string[] =>
  [...pairs(fields)].flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []))

/** `dropped` is asked with names in lower case. */
export function passing(fields: Fields, dropped: (name: string) => boolean): string[] {
  const named = valuesOf(fields, 'connection').flatMap((value) => value.toLowerCase().split(','))
  const ofThisHop = new Set([...hopByHop, ...named.map((name) => name.trim())])
  return [...pairs(fields)].flatMap(([name, value]) =>
    ofThisHop.has(name.toLowerCase()) || dropped(plainName(name)) ? [] : [name, value],
  )
}

interface ToEdge {
  readonly host: string
  readonly address: string
  /** Browser sessions live at the public address only. */
  readonly withCookies: boolean
  readonly body: BodyFraming
}

/** How the body of a request is delimited: said anew for the next hop, never passed on. */
export type BodyFraming = { readonly length: string } | 'chunked' | 'none'

export function requestFields(fields: Fields, { host, address, withCookies, body }: ToEdge): string[] {
  const ours = ['Host', host, 'X-Forwarded-For', address]
  if (body === 'chunked') ours.push('Transfer-Encoding', 'chunked')
  else if (body !== 'none') ours.push('Content-Length', body.length)
  const isDropped = (name: string) =>
    name === 'host' || name === 'content-length' || claims.test(name) || (name === 'cookie' && !withCookies)
  return [...ours, ...passing(fields, isDropped)]
}

/** `Alt-Svc` names other doors of the edge's own address. */
export const answerFields = (fields: Fields, withCookies: boolean): string[] =>
  passing(fields, (name) => name === 'alt-svc' || (name === 'set-cookie' && !withCookies))

/**
 * node:http has refused what is malformed, two lengths, and a length beside a coding. What is left: codings that we would have to
 * undo, and a coding from HTTP/1.0, whose sender may mean something else by it (RFC 9112 section 6.1).
 */
export function bodyFraming(fields: Fields, httpVersion: string): BodyFraming | 'framing_ambiguous' | 'coding_unknown' {
  const codings = valuesOf(fields, 'transfer-encoding')
  const [length, ...others] = valuesOf(fields, 'content-length')
  if (codings.length === 0 && length === undefined) return 'none'
  if (others.length > 0 || (codings.length > 0 && (length !== undefined || httpVersion !== '1.1'))) {
    return 'framing_ambiguous'
  }
  if (length !== undefined) return { length }
  return codings.join(',').toLowerCase() === 'chunked' ? 'chunked' : 'coding_unknown'
}
