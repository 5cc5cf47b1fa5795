/** Who asks: the two cookies of a browser, and where a request comes from. */
import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { base64url, fromBase64url, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import type { SessionCookie } from '../core/login/ceremony.ts'
import { parseSessionCookie } from '../core/login/session.ts'
import type { Holder, Instant } from '../core/model.ts'
import type { Caller, Ports, SessionClaim } from '../core/ports.ts'
import type { EdgeContext } from './edge.ts'

/**
 * `__Host-`: only this very host can set them, over a secure connection. Lax for the session, so that a link into
 * Sallyport finds its reader signed in; state changes want the exact Origin besides.
 */
const ceremonyCookie = 'sallyport-ceremony'
const sessionCookie = 'sallyport'
const attributes = { prefix: 'host', path: '/', secure: true, httpOnly: true } as const

/** The holder of the ceremony that begins here: a browser keeps one random cookie for all of them. */
export function beginHolder(c: Context, { random }: Pick<Ports, 'random'>): Holder {
  const found = holderCookie(c)
  if (found !== undefined) return holderOf(found)
  const value = base64url(random(32))
  setCookie(c, ceremonyCookie, value, { ...attributes, sameSite: 'Strict' })
  return holderOf(value)
}

export function callerOf(c: EdgeContext): Caller {
  const found = holderCookie(c)
  return { asking: c.get('asking'), holder: found === undefined ? undefined : holderOf(found), claim: findClaim(c) }
}

function holderCookie(c: Context): string | undefined {
  const value = getCookie(c, ceremonyCookie, 'host')
  return value !== undefined && fromBase64url(value)?.length === 32 ? value : undefined
}

const holderOf = (cookie: string): Holder => base64url(sha256(utf8(cookie))) as Holder

export function findClaim(c: Context): SessionClaim | undefined {
  const cookie = getCookie(c, sessionCookie, 'host')
  return cookie === undefined ? undefined : parseSessionCookie(cookie)
}

export function setSession(c: Context, cookie: SessionCookie, expiresAt: Instant, now: Instant): void {
  const maxAge = Math.max(Math.floor((expiresAt - now) / 1000), 0)
  setCookie(c, sessionCookie, cookie, { ...attributes, sameSite: 'Lax', maxAge })
}

export function clearSession(c: Context): void {
  setCookie(c, sessionCookie, '', { ...attributes, sameSite: 'Lax', maxAge: 0 })
}
