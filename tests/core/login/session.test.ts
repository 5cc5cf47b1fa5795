import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../core/lib/hash.ts'
import { endClientSession, endSession, parseSessionCookie } from '../../../core/login/session.ts'
import { type ClientSessionId, hours, type SessionId } from '../../../core/model.ts'
import { sessionCookieName } from '../../client.ts'
import { lastRefusal, newAdministrator, newLogin, signIn, terminal } from '../../edge.ts'
import { text64 } from '../signer.ts'

const id = text64(new Uint8Array(16).fill(1))
const secretBytes = new Uint8Array(32).fill(2)
const secret = text64(secretBytes)

describe('parseSessionCookie', () => {
  test('reads id and hash of the secret', async () => {
    expect(await parseSessionCookie(`${id}.${secret}`)).toEqual({ id, secretHash: await sha256(secretBytes) })
  })

  test.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['no secret', id],
    ['an empty secret', `${id}.`],
    ['no id', `.${secret}`],
    ['a third part', `${id}.${secret}.`],
    ['an id of 15 bytes', `${text64(new Uint8Array(15))}.${secret}`],
    ['an id of 17 bytes', `${text64(new Uint8Array(17))}.${secret}`],
    ['a secret of 31 bytes', `${id}.${text64(secretBytes.slice(1))}`],
    ['a secret of 33 bytes', `${id}.${text64(new Uint8Array(33))}`],
    ['padding', `${id}.${secret}=`],
    ['white space', ` ${id}.${secret}`],
    ['bits in the tail of the id', `${id.slice(0, -1)}R.${secret}`],
    ['bits in the tail of the secret', `${id}.${secret.slice(0, -1)}J`],
    ['the standard alphabet', `${id}.+/${secret.slice(2)}`],
    ['quotes', `"${id}.${secret}"`],
    ['the two the wrong way round', `${secret}.${id}`],
  ])('answers undefined for %s', async (_what, cookie) => {
    expect(await parseSessionCookie(cookie)).toBeUndefined()
  })
})

async function twoSessions() {
  const { edge, passkey, visitor } = await newAdministrator()
  const other = await signIn(edge, passkey)
  const [claim, otherClaim] = await Promise.all(
    [visitor, other].map((one) => parseSessionCookie(one.cookies.get(sessionCookieName) ?? '')),
  )
  const caller = { asking: terminal, holder: undefined, claim: claim! }
  return { edge, caller, claim: claim!, otherClaim: otherClaim! }
}

describe('endSession', () => {
  test('ends another session of the same user, once, and writes who did it', async () => {
    const { edge, caller, claim, otherClaim } = await twoSessions()
    const { ports } = edge
    await endSession(ports, caller, otherClaim.id)
    expect(await ports.sessions.find(otherClaim, ports.now())).toBeUndefined()
    expect(await ports.sessions.find(claim, ports.now())).toMatchObject({ name: 'Ada' })
    expect(edge.rows('select kind, outcome, session_id from audit order by seq desc limit 1')).toEqual([
      { kind: 'session.end', outcome: 'done', session_id: otherClaim.id },
    ])
    await expect(endSession(ports, caller, otherClaim.id)).rejects.toMatchObject({ code: 'not_found' })
    expect(lastRefusal(edge)).toBe('not_found')
  })

  test('is a logout where it is the own session, and needs no session afterwards', async () => {
    const { edge, caller, claim } = await twoSessions()
    await endSession(edge.ports, caller, claim.id)
    expect(edge.rows('select kind from audit order by seq desc limit 1')).toEqual([{ kind: 'logout' }])
    await expect(endSession(edge.ports, caller, claim.id)).rejects.toMatchObject({ code: 'session_missing' })
    expect(lastRefusal(edge)).toBe('session_missing')
  })

  test('refuses without a session, with another secret, and after 12 hours', async () => {
    const { edge, caller, claim, otherClaim } = await twoSessions()
    const ending = (changed: typeof claim | undefined) =>
      endSession(edge.ports, { ...caller, claim: changed }, otherClaim.id)
    await expect(ending(undefined)).rejects.toMatchObject({ code: 'session_missing' })
    const guessed = { ...claim, secretHash: otherClaim.secretHash }
    await expect(ending(guessed)).rejects.toMatchObject({ code: 'session_missing' })
    expect(await edge.ports.sessions.find(otherClaim, edge.ports.now())).toBeDefined()
    edge.advance(hours(12))
    await expect(ending(claim)).rejects.toMatchObject({ code: 'session_missing' })
  })

  test('finds no session that never was', async () => {
    const { edge, caller } = await twoSessions()
    await expect(endSession(edge.ports, caller, 'AAAA' as SessionId)).rejects.toMatchObject({ code: 'not_found' })
  })
})

async function withLogin() {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  // A tap for a program exchanged the browser's session.
  const claim = parseSessionCookie(visitor.cookies.get(sessionCookieName) ?? '')
  const id = tokens.refresh_token.split('.')[0] as ClientSessionId
  return { edge, caller: { asking: terminal, holder: undefined, claim }, id, program, tokens }
}

describe('endClientSession', () => {
  test('ends a login of a program of the same user, once, and writes who did it', async () => {
    const { edge, caller, id, program, tokens } = await withLogin()
    await endClientSession(edge.ports, caller, id)
    expect(edge.rows('select kind, outcome, session_id from audit order by seq desc limit 1')).toEqual([
      { kind: 'client.end', outcome: 'done', session_id: id },
    ])
    expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(401)
    await expect(endClientSession(edge.ports, caller, id)).rejects.toMatchObject({ code: 'not_found' })
    expect(lastRefusal(edge)).toBe('not_found')
  })

  test('refuses without a session, after 12 hours, and for a login that never was', async () => {
    const { edge, caller, id } = await withLogin()
    const { ports } = edge
    const without = endClientSession(ports, { ...caller, claim: undefined }, id)
    await expect(without).rejects.toMatchObject({ code: 'session_missing' })
    const unknown = endClientSession(ports, caller, 'AAAA' as ClientSessionId)
    await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
    edge.advance(hours(12))
    await expect(endClientSession(ports, caller, id)).rejects.toMatchObject({ code: 'session_missing' })
  })
})
