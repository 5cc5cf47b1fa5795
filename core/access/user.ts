/** A person, as administrators write one: roles, and the traits that templates of roles stand for. How he signs in is no part of it. */
import { canonicalJson } from '../intent.ts'
import { base64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { UserId } from '../model.ts'
import { fields, listOf, mapOf, oneOf, type Read, refined, unlessEmpty } from './fields.ts'
import type { Traits } from './pattern.ts'
import { roleName } from './role-name.ts'
import { oneLine, shaped, text } from './text.ts'
import { userName } from './user-name.ts'

export type UserDocument = {
  readonly kind: 'user'
  readonly version: 'v2'
  readonly metadata: { readonly name: string }
  /** What is left out is empty. Roles in the order of their names. */
  readonly spec: { readonly roles?: readonly string[]; readonly traits?: Traits }
}

const [mostRoles, mostTraits, mostValues] = [64, 64, 256]

const traitName = shaped(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'a trait of letters, digits and . _ : / -')
/** Text and nothing else: an asterisk here is an asterisk wherever a template takes it. */
const values = unlessEmpty(listOf(text(oneLine), mostValues))

export const user: Read<UserDocument> = fields<UserDocument>('user', {
  kind: oneOf('user'),
  version: oneOf('v2'),
  metadata: fields<UserDocument['metadata']>('user', { name: userName }),
  spec: fields<UserDocument['spec']>('user', {
    roles: unlessEmpty(refined(listOf(roleName, mostRoles), (names) => names.toSorted())),
    traits: unlessEmpty(mapOf(traitName, values, mostTraits, 'traits')),
  }),
})

/** The document of what a user holds. */
export const userDocument = (
  name: string,
  { roles, traits }: { readonly roles: readonly string[]; readonly traits?: Traits | undefined },
): UserDocument => ({
  kind: 'user',
  version: 'v2',
  metadata: { name },
  spec: {
    ...(roles.length > 0 && { roles: roles.toSorted() }),
    ...(traits && Object.keys(traits).length > 0 && { traits }),
  },
})

/** Names this very content of this very person: a namesake who came in between is another. */
export const userRevision = (id: UserId, document: UserDocument): string =>
  base64url(sha256(canonicalJson({ id, document })))
