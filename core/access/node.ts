/** A host that is reached by SSH. */
import { fields, oneOf, optional, type Read } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { address, hostName, resourceName } from './resource-name.ts'

export type NodeDocument = {
  readonly kind: 'node'
  readonly version: 'v2'
  /** An sshd of its own: there is no other in this version. */
  readonly sub_kind?: 'openssh'
  readonly metadata: Metadata
  readonly spec: { readonly addr: string; readonly hostname?: string }
}

export const node: Read<NodeDocument> = fields<NodeDocument>('node', {
  kind: oneOf('node'),
  version: oneOf('v2'),
  sub_kind: optional(oneOf('openssh')),
  metadata: metadata('node', resourceName),
  spec: fields<NodeDocument['spec']>('node', { addr: address, hostname: optional(hostName) }),
})
