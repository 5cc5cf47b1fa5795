/** A database that the proxy reaches: its protocol, its address, and how the proxy knows that it is the right one. */
import { fields, oneOf, type Read, refined } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { into, type Place, tell } from './place.ts'
import { address, resourceName } from './resource-name.ts'
import { type DbTls, dbTls } from './tls.ts'

export const dbProtocols = ['postgres', 'mysql', 'mongodb', 'redis'] as const
export type DbProtocol = (typeof dbProtocols)[number]

export type DbDocument = {
  readonly kind: 'db'
  readonly version: 'v3'
  readonly metadata: Metadata
  readonly spec: { readonly protocol: DbProtocol; readonly uri: string; readonly tls: DbTls }
}

export const db: Read<DbDocument> = fields<DbDocument>('db', {
  kind: oneOf('db'),
  version: oneOf('v3'),
  metadata: metadata('db', resourceName),
  spec: refined(
    fields<DbDocument['spec']>('db', { protocol: oneOf(...dbProtocols), uri: address, tls: dbTls }),
    (spec, place) => {
      // What is wrong with either is told already.
      if (spec.protocol !== undefined && spec.tls !== undefined) checkTls(spec, place)
      return spec
    },
  ),
})

/** What the proxy would not do must not stand there. */
function checkTls({ protocol, tls: { mode } }: DbDocument['spec'], place: Place): void {
  const at = into(into(place, 'tls'), 'mode')
  if (protocol === 'postgres' && mode === 'disable')
    tell(at, '`disable` is not for postgres: `insecure` goes without TLS where the server has none')
  if (protocol === 'mysql' && mode !== 'disable')
    tell(
      at,
      'mysql asks for TLS within its protocol, which the proxy passes as it is: write `tls: { mode: disable }`, and let clients verify the server',
    )
}
