/** The Basic scheme (RFC 7617), of which the password alone counts here: it is a word that the proxy gave. */

const form = /^Basic +([A-Za-z0-9+/]+={0,2})$/i

/** The password, latin1; whatever the user. undefined: another scheme, or none that can be read. */
export function passwordIn(credential: string | undefined): string | undefined {
  const [, coded] = form.exec(credential ?? '') ?? []
  const pair = coded === undefined ? undefined : decoded(coded)
  const colon = pair?.indexOf(':') ?? -1
  return colon < 0 ? undefined : pair?.slice(colon + 1)
}

function decoded(coded: string): string | undefined {
  try {
    return atob(coded)
  } catch {
    return undefined
  }
}
