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

const tlsMode = oneOf('verify-full', 'verify-ca', 'insecure')

/** `kind`: whose field it is. */
export const upstreamTls = (kind: string): Read<UpstreamTls> =>
  orEmptyMap(
    refined(
      fields<UpstreamTls>(kind, {
        mode: (json, place) => (json === undefined ? 'verify-full' : tlsMode(json, place)),
        ca_cert: optional(certificates),
        server_name: optional(hostName),
      }),
      (read, place) => {
        if (read.mode !== 'insecure' || read.ca_cert === undefined) return read
        return tell(into(place, 'ca_cert'), 'mode `insecure` verifies nothing: choose verify-full or leave out ca_cert')
      },
    ),
  )
