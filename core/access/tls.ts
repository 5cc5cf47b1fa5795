/** How the proxy verifies a server that it reaches by TLS. */
import { fields, oneOf, optional, orEmptyMap, type Read, refined } from './fields.ts'
import { parseCertificates } from './pem.ts'
import { into, tell } from './place.ts'
import { hostName } from './resource-name.ts'
import { anyText } from './text.ts'

/** `verify-ca` looks at the issuer and not at the name; `insecure` at nothing. */
export type UpstreamTls = {
  readonly mode: 'verify-full' | 'verify-ca' | 'insecure'
  /** PEM. Left out: the roots of the proxy's system. */
  readonly ca_cert?: string
  /** Left out: the host of the URI. */
  readonly server_name?: string
}

const certificates: Read<string> = refined(anyText, (written, place) => {
  const parsed = parseCertificates(written)
  return parsed.kind === 'value' ? parsed.value : tell(place, parsed.why)
})

/** `disable`: no TLS of the proxy's. */
export type DbTls = Omit<UpstreamTls, 'mode'> & { readonly mode: UpstreamTls['mode'] | 'disable' }

const modes = ['verify-full', 'verify-ca', 'insecure'] as const

function tlsWith<Tls extends DbTls>(kind: string, ...own: readonly Tls['mode'][]): Read<Tls> {
  const mode = oneOf<Tls['mode']>(...own)
  const map = fields<DbTls>(kind, {
    mode: (json, place) => (json === undefined ? 'verify-full' : mode(json, place)),
    ca_cert: optional(certificates),
    server_name: optional(hostName),
  })
  const read = refined(map, (tls, place) => {
    const given = (['ca_cert', 'server_name'] as const).find((name) => tls[name] !== undefined)
    if (tls.mode === 'disable' && given !== undefined)
      return tell(into(place, given), 'mode `disable` starts no TLS: leave it out')
    if (tls.mode !== 'insecure' || tls.ca_cert === undefined) return tls as Tls
    return tell(into(place, 'ca_cert'), 'mode `insecure` verifies nothing: choose verify-full or leave out ca_cert')
  })
  return orEmptyMap(read)
}

/** `kind`: whose field it is. */
export const upstreamTls = (kind: string): Read<UpstreamTls> => tlsWith<UpstreamTls>(kind, ...modes)

export const dbTls: Read<DbTls> = tlsWith<DbTls>('db', ...modes, 'disable')
