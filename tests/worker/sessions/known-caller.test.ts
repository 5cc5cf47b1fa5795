/**
 * The exchange for a grant knows its caller from the call before, and saves a round trip by it. What of him has changed in between counts
 * all the same, and his proof is spent like any other.
 */
import { decodeJwt, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { lastRefusal, newLogin } from '../../edge.ts'
import {
  askFor,
  beginSession,
  exchangeForm,
  newSessionAdmin,
  pgDocument,
  readerRole,
  tapTicket,
} from '../../proxies.ts'

/** An administrator who was just told that pg-1 is his, with a tap or without one. */
async function newWorld(tap = false) {
  const admin = await newSessionAdmin(pgDocument(), readerRole('db-reader', tap))
  const { edge, passkey, visitor, program, token, proxy } = admin
  const ask = askFor(proxy)
  const begun = await beginSession(program, token, ask)
  const sent = tap ? await tapTicket(visitor, passkey, begun.json.ticket) : undefined
  const form = exchangeForm(token, ask, sent)
  const batches: number[] = []
  const { atomically } = edge.store
  edge.store.atomically = (statements) => {
    batches.push(statements.length)
    return atomically(statements)
  }
  const granted = () => edge.rows("select seq from audit where kind = 'session.grant' and outcome = 'done'").length
  const last = edge.rows('select max(seq) as seq from audit')[0]?.['seq']
  const refused = () =>
    edge.rows(`select code from audit where outcome = 'refused' and seq > ${last}`).map(({ code }) => code)
  return { ...admin, form, batches, granted, refused, exchange: () => program.token(form) }
}

test('whoever asked a moment before is granted by one batch', async () => {
  const { exchange, batches } = await newWorld()
  expect((await exchange()).status).toBe(200)
  expect(batches).toHaveLength(1)
})

test.each([false, true])('one proof makes one grant, raced 50 ways (with a tap: %s)', async (tap) => {
  const { program, form, granted, edge } = await newWorld(tap)
  const proof = await program.proof('POST', '/oauth/token')
  const replies = await Promise.all(Array.from({ length: 50 }, () => program.sendToken(form, proof)))
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(granted()).toBe(1)
  expect(lastRefusal(edge)).toBe('dpop_replayed')
})

test('a proof that an ordinary call has spent makes no grant', async () => {
  const { program, form, granted } = await newWorld()
  const proof = await program.proof('POST', '/oauth/token')
  expect((await program.sendToken(form, proof)).status).toBe(200)
  expect((await program.sendToken(form, proof)).status).toBe(400)
  expect(granted()).toBe(1)
})

const changes: Record<string, readonly [sql: string, refused: string]> = {
  'a role was taken': ["delete from user_roles where role = 'db-reader'", 'session_refused'],
  'the role says something else': [
    "update documents set document = json_set(document, '$.spec.deny.db_users', json('[\"*\"]')) where name = 'db-reader'",
    'session_refused',
  ],
  'the login was ended': ["update client_sessions set ended_at = 1, end_reason = 'revoked'", 'token_invalid'],
  'the proxy was removed': ['update proxies set removed_at = 1', 'target_invalid'],
  'the database was removed': ["delete from documents where name = 'pg-1'", 'resource_unknown'],
}

test.each(Object.entries(changes))(
  '%s in between: nothing is granted, and the log says why, once',
  async (_, change) => {
    const [sql, code] = change
    const { edge, exchange, granted, refused } = await newWorld()
    edge.store.raw.exec(sql)
    expect((await exchange()).status).toBeGreaterThanOrEqual(400)
    expect([granted(), refused()]).toEqual([0, [code]])
  },
)

test('another user of the role changes in between: it is granted all the same', async () => {
  const { edge, exchange, batches } = await newWorld()
  edge.store.raw.exec(
    'update documents set document = json_set(document, \'$.metadata.labels\', json(\'{"env":"dev","x":"y"}\')) where name = \'pg-1\'',
  )
  expect((await exchange()).status).toBe(200)
  expect(batches.length).toBeGreaterThan(1)
})

test('what is known of him does not count under a newer policy, which another request read meanwhile', async () => {
  const { edge, exchange, granted } = await newWorld()
  edge.store.raw.exec("delete from user_roles where role = 'db-reader'")
  const { current, newest } = edge.ports.policies
  let asked = 0
  Object.assign(edge.ports.policies, { current: () => (asked++ === 0 ? current() : newest()) })
  expect((await exchange()).status).toBe(403)
  expect([asked > 1, granted()]).toEqual([true, 0])
})

test.each(['cnf', 'sub'])(
  'a token for his session with another %s is none of his, whoever signed it',
  async (claim) => {
    const { edge, visitor, passkey, program: own, token, form, granted } = await newWorld()
    const { program: another } = await newLogin(edge, visitor, passkey)
    const program = claim === 'cnf' ? another : own
    const changed = claim === 'cnf' ? { cnf: { jkt: program.key.jkt } } : { sub: 'A'.repeat(22) }
    const { kid, key } = await edge.ports.keyring.current()
    const forged = await new SignJWT({ ...decodeJwt(token), ...changed })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
      .sign(key)
    expect((await program.token({ ...form, subject_token: forged })).status).toBe(400)
    expect([granted(), lastRefusal(edge)]).toEqual([0, 'token_invalid'])
  },
)
