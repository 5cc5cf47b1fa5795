/** Programs that may ask for tokens. All are native and public (RFC 8252): their proof is PKCE and a key, not a secret. */

export interface Client {
  readonly id: string
  /** As people read it on the page that asks for their approval. */
  readonly name: string
}

export type Clients = ReadonlyMap<string, Client>

export const builtInClients: Clients = new Map([['sallyport-cli', { id: 'sallyport-cli', name: 'Sallyport CLI' }]])

/**
 * RFC 8252 section 7.3: the loopback address itself, over http, with any port. Not the name "localhost", which somebody's
 * resolver may send elsewhere (section 8.3). Compared as text: what a lenient reader would make of it does not matter.
 */
const loopbackRedirect = /^http:\/\/(?:127\.0\.0\.1|\[::1\]):([1-9]\d{0,4})\/callback$/

export function isLoopbackRedirect(uri: string): boolean {
  const port = Number(loopbackRedirect.exec(uri)?.[1])
  return port >= 1 && port <= 65_535
}

/** The answer at a redirect, as query parameters (RFC 6749 section 4.1.2). */
export const answerAt = (redirectUri: string, parameters: Readonly<Record<string, string | undefined>>): string => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `${redirectUri}?${new URLSearchParams(given)}`
}

/** What tokens may be asked for: an ID token, and the calls of /v1. */
const knownScopes = ['openid', 'api']
const defaultScope = 'api'

/** Sorted, each once. undefined: something else is in it. */
export function parseScope(text: string | undefined): string | undefined {
  const words = new Set((text ?? defaultScope).split(' ').filter((word) => word !== ''))
  if (words.size === 0 || [...words].some((word) => !knownScopes.includes(word))) return undefined
  return knownScopes.filter((word) => words.has(word)).join(' ')
}

export const hasScope = (scope: string, word: string): boolean => scope.split(' ').includes(word)
