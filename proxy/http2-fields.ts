/** The head of an HTTP/2 request as one of HTTP/1.1 (RFC 9113 sections 8.2 and 8.3). nghttp2 has refused names and values with characters that they must not have. */
import type { Fields } from './headers.ts'

export interface Http1Head {
  readonly method: string
  readonly path: string
  /** Names and values in turn. */
  readonly fields: string[]
}

/** undefined: it is none that this proxy takes: another scheme, or no path. `hasNoBody`: its stream ended with it. */
export function http1Fields(given: Fields, hasNoBody: boolean): Http1Head | undefined {
  const pseudo = new Map<string, string>()
  const [fields, cookies]: [string[], string[]] = [[], []]
  for (let at = 0; at + 1 < given.length; at += 2) {
    const [name, value] = [given[at] as string, given[at + 1] as string]
    if (name.startsWith(':')) pseudo.set(name, value)
    else if (name === 'cookie') cookies.push(value)
    else fields.push(name, value)
  }
  const [method, path, scheme] = [':method', ':path', ':scheme'].map((name) => pseudo.get(name))
  if (method === undefined || path === undefined || scheme !== 'https') return undefined
  const { host, rest } = hostOf(pseudo.get(':authority'), fields)
  // Section 8.2.3: they were one field.
  const joined = cookies.length > 0 ? ['Cookie', cookies.join('; ')] : []
  const isUnmeasured = !hasNoBody && !rest.some((name, at) => at % 2 === 0 && name === 'content-length')
  const framing = isUnmeasured ? ['Transfer-Encoding', 'chunked'] : []
  return { method, path, fields: [...host, ...rest, ...joined, ...framing, 'Connection', 'close'] }
}

/** Section 8.3.1: `:authority` is what Host says, where both are there. Two that differ stay two, which are refused. */
function hostOf(authority: string | undefined, fields: readonly string[]): { host: string[]; rest: string[] } {
  if (authority === undefined) return { host: [], rest: [...fields] }
  const rest = fields.filter((_, at) => {
    const [name, value] = [fields[at - (at % 2)], fields[at - (at % 2) + 1]]
    return name !== 'host' || value !== authority
  })
  return { host: ['Host', authority], rest }
}
