/** Where a person goes after signing in: a place of ours or the account page. Never an address out of a link. */
const home = '/account'
/** What comes back from the page with the answer may be no longer than what is put into it. */
export const longestNext = 16_384

/**
 * A path on this origin. Browsers take `//host`, `/\host` and a tab or line break within either as another host, so the
 * path is resolved as they would and kept only if it still is ours.
 */
export function parseNext(text: string | undefined, origin: string): string {
  if (text === undefined || !/^\/(?![/\\])/.test(text) || !URL.canParse(text, origin)) return home
  const url = new URL(text, origin)
  const place = `${url.pathname}${url.search}${url.hash}`
  const isOurs = url.origin === origin && !/^\/[/\\]/.test(url.pathname)
  return isOurs && place.length <= longestNext ? place : home
}
