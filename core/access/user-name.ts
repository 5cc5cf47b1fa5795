import { readName } from '../login/name.ts'
import { type Read, refined } from './fields.ts'
import { quoted, tell } from './place.ts'
import { anyText } from './text.ts'

/** As users are named: a name that nobody can have is nobody's. */
export const userName: Read<string> = refined(anyText, (written, place) => {
  return readName(written) ?? tell(place, `${quoted(written)}: expected the name of a user`)
})
