/** The Basic scheme (RFC 7617), of which the password alone counts here: it is a word that the proxy gave. */

const form = /^Basic +([A-Za-z0-9+/]+={0,2})$/i

/** The password, latin1; whatever the user. undefined: another scheme, or none that can be read. */
export function passwordIn(credential: string | undefined): string | undefined {
  const [, coded] = form.exec(credential ?? '') ?? []
  const pair = coded === undefined ? undefined : decoded(coded)
  // Section 2: neither part has a control character.
  if (pair === undefined || [...pair].some(isControl)) return undefined
  const colon = pair.indexOf(':')
  return colon < 0 ? undefined : pair.slice(colon + 1)
}

const isControl = (char: string): boolean => char < ' ' || char === '\x7f'

/** In its one spelling: padded, and with no bit left over (RFC 4648 sections 3.2 and 3.5). */
function decoded(coded: string): string | undefined {
  try {
    const pair = atob(coded)
    return btoa(pair) === coded ? pair : undefined
  } catch {
    return undefined
  }
}
