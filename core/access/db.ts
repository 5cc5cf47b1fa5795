/** A database that the proxy reaches: its protocol, its address, and how the proxy knows that it is the right one. */
import { fields, oneOf, type Read } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { address, resourceName } from './resource-name.ts'
import { type UpstreamTls, upstreamTls } from './tls.ts'

export type DbDocument = {
  readonly kind: 'db'
  readonly version: 'v3'
  readonly metadata: Metadata
  readonly spec: { readonly protocol: 'postgres'; readonly uri: string; readonly tls: UpstreamTls }
}

export const db: Read<DbDocument> = fields<DbDocument>('db', {
  kind: oneOf('db'),
  version: oneOf('v3'),
  metadata: metadata('db', resourceName),
  spec: fields<DbDocument['spec']>('db', { protocol: oneOf('postgres'), uri: address, tls: upstreamTls('db') }),
})
