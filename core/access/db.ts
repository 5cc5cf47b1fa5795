/** A database that the proxy reaches: its protocol, its address, and how the proxy knows that it is the right one. */
import { fields, oneOf, optional, orEmptyMap, type Read, refined } from './fields.ts'
import { parseHostName, parseHostPort } from './host-port.ts'
import { type Metadata, metadata } from './metadata.ts'
import { parseCertificates } from './pem.ts'
import { into, quoted, tell } from './place.ts'
import { anyText, shaped, text } from './text.ts'

export type DbDocument = {
  readonly kind: 'db'
  readonly version: 'v3'
  readonly metadata: Metadata
  readonly spec: { readonly protocol: 'postgres'; readonly uri: string; readonly tls: DbTls }
}

/** How the server is verified. `verify-ca` looks at the issuer and not at the name; `insecure` at nothing. */
export type DbTls = {
  readonly mode: 'verify-full' | 'verify-ca' | 'insecure'
  /** PEM. Left out: the roots of the proxy's system. */
  readonly ca_cert?: string
  /** Left out: the host of the URI. */
  readonly server_name?: string
}

/** A DNS label: the proxy is asked for the database by the name NAME.PROXY. */
const dbName = text(
  shaped(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'a name of 1 to 63 lower case letters, digits and -, with no - at its ends',
  ),
)

const uri: Read<string> = refined(anyText, (written, place) => {
  const parsed = parseHostPort(written)
  return parsed.kind === 'value' ? parsed.value : tell(place, parsed.why)
})

const certificates: Read<string> = refined(anyText, (written, place) => {
  const parsed = parseCertificates(written)
  return parsed.kind === 'value' ? parsed.value : tell(place, parsed.why)
})

const hostName: Read<string> = refined(anyText, (written, place) => {
  return parseHostName(written) ?? tell(place, `${quoted(written)}: expected a host name`)
})

const tlsMode = oneOf('verify-full', 'verify-ca', 'insecure')

const tls = refined(
  fields<DbTls>('db', {
    mode: (json, place) => (json === undefined ? 'verify-full' : tlsMode(json, place)),
    ca_cert: optional(certificates),
    server_name: optional(hostName),
  }),
  (read, place) => {
    if (read.mode !== 'insecure' || read.ca_cert === undefined) return read
    return tell(into(place, 'ca_cert'), 'mode `insecure` verifies nothing: choose verify-full or leave out ca_cert')
  },
)

export const db: Read<DbDocument> = fields<DbDocument>('db', {
  kind: oneOf('db'),
  version: oneOf('v3'),
  metadata: metadata('db', dbName),
  spec: fields<DbDocument['spec']>('db', { protocol: oneOf('postgres'), uri, tls: orEmptyMap(tls) }),
})
