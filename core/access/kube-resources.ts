/** What a role lets its holders do inside a Kubernetes cluster. */
import { fields, listOf, oneOf, optional, type Read } from './fields.ts'
import { whyNoPattern } from './pattern.ts'
import { listOfMaps } from './rule.ts'
import { oneLine, text } from './text.ts'

export type KubeResource = {
  /** Such as `pod` or `deployments`. */
  readonly kind: string
  readonly api_group?: string
  readonly namespace?: string
  readonly name?: string
  readonly verbs?: readonly string[]
}

const value = text(oneLine, whyNoPattern)
const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'exec', 'portforward']
const mostVerbs = 16

export const kubeResources: Read<readonly KubeResource[]> = listOfMaps(
  fields<KubeResource>('a Kubernetes resource', {
    kind: value,
    api_group: optional(value),
    namespace: optional(value),
    name: optional(value),
    verbs: optional(listOf(oneOf(...verbs, '*'), mostVerbs)),
  }),
  'Kubernetes resources, each with a kind',
)

/** Whether it is everything, so that nobody need look into the requests. */
export const isEverything = ({ kind, api_group = '*', namespace = '*', name = '*', verbs: of = ['*'] }: KubeResource) =>
  [kind, api_group, namespace, name].every((word) => word === '*') && of.includes('*')
