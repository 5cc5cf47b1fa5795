/** A person, as administrators write one: roles, and the traits that templates of roles stand for. How he signs in is not a part of it. */
import { readName } from '../login/name.ts'
import { fields, listOf, mapOf, oneOf, type Read, refined, unlessEmpty } from './fields.ts'
import { metadata } from './metadata.ts'
import type { Traits } from './pattern.ts'
import { quoted, tell } from './place.ts'
import { anyText, oneLine, shaped, text } from './text.ts'

export type UserDocument = {
  readonly kind: 'user'
  readonly version: 'v2'
  readonly metadata: { readonly name: string }
  readonly spec: { readonly roles?: readonly string[]; readonly traits?: Traits }
}

const [mostRoles, mostTraits, mostValues] = [64, 64, 256]

/** As users are named: a name that nobody can have is nobody's. */
export const userName: Read<string> = refined(anyText, (written, place) => {
  return readName(written) ?? tell(place, `${quoted(written)}: expected the name of a user`)
})

export const roleName = text(shaped(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the name of a role'))
const traitName = shaped(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'a trait of letters, digits and . _ : / -')
/** Text and nothing else: an asterisk here is an asterisk wherever a template takes it. */
const values = unlessEmpty(listOf(text(oneLine), mostValues))

export const user: Read<UserDocument> = fields<UserDocument>('user', {
  kind: oneOf('user'),
  version: oneOf('v2'),
  metadata: refined(metadata('user', userName), (read, place) => {
    if (Object.keys(read).length === 1) return { name: read.name }
    return tell(place, 'a user has a name and neither description nor labels: write traits')
  }),
  spec: fields<UserDocument['spec']>('user', {
    roles: unlessEmpty(listOf(roleName, mostRoles)),
    traits: unlessEmpty(mapOf(traitName, values, mostTraits)),
  }),
})
