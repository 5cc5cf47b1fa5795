/** A Kubernetes cluster: its API server. */
import { fields, oneOf, type Read } from './fields.ts'
import { type Metadata, metadata } from './metadata.ts'
import { address, resourceName } from './resource-name.ts'
import { type UpstreamTls, upstreamTls } from './tls.ts'

export type KubeClusterDocument = {
  readonly kind: 'kube_cluster'
  readonly version: 'v3'
  readonly metadata: Metadata
  readonly spec: { readonly uri: string; readonly tls: UpstreamTls }
}

export const kubeCluster: Read<KubeClusterDocument> = fields<KubeClusterDocument>('kube_cluster', {
  kind: oneOf('kube_cluster'),
  version: oneOf('v3'),
  metadata: metadata('kube_cluster', resourceName),
  spec: fields<KubeClusterDocument['spec']>('kube_cluster', { uri: address, tls: upstreamTls('kube_cluster') }),
})
