/**
 * The one spelling of a server name (RFC 6066 section 3): lower case, no trailing dot. Clients send both other spellings:
 * Node puts a servername on the wire as it is given.
 */
import { parseAddress } from './address.ts'

/** RFC 1035 section 2.3.4, without the dot of the root. */
const longestName = 253
/** ASCII only: under the flag `i` alone, without `u`, no letter beyond it (the Kelvin sign) folds into these ranges. */
const name = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i

/** One trailing dot goes; two are an empty label. Underscores occur in the wild. */
export function normaliseSni(text: string): string | undefined {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  return bare.length <= longestName && name.test(bare) ? bare.toLowerCase() : undefined
}

/** RFC 6066 forbids an address as a server name, and clients send it all the same. */
export function isAddressLiteral(text: string): boolean {
  const isBracketed = text.startsWith('[') && text.endsWith(']')
  const bare = isBracketed ? text.slice(1, -1) : text.endsWith('.') ? text.slice(0, -1) : text
  return (endsInDigit(bare) || bare.includes(':')) && parseAddress(bare) !== undefined
}

/** As it is routed: an address counts as no name at all. Undefined: it is neither. */
export function routedName(text: string): { readonly name: string | undefined } | undefined {
  if (isAddressLiteral(text)) return { name: undefined }
  const name = normaliseSni(text)
  return name === undefined ? undefined : { name }
}

/** Most names do not, and every IPv4 address does. */
function endsInDigit(text: string): boolean {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0x30 && last <= 0x39
}
