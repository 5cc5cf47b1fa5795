import { fields, optional, type Read, unlessEmpty } from './fields.ts'
import { description, labels } from './text.ts'

export type Metadata = {
  readonly name: string
  readonly description?: string
  readonly labels?: { readonly [label: string]: string }
}

export const metadata = (kind: string, name: Read<string>): Read<Metadata> =>
  fields<Metadata>(kind, { name, description: optional(description), labels: unlessEmpty(labels) })
