import { expect, test } from 'vitest'
import { newAccount } from '../accounts.ts'
import { lastRefusal, sessionsOf } from '../edge.ts'
import { codeAt, passwordBody, passwordLogin } from '../factors.ts'
import { race, statuses } from '../race.ts'

test('a code that 50 send at once opens one session', async () => {
  const { edge, code } = await newAccount()
  const answer = { code: code() }
  // Five attempts a name are looked at; the race is about those.
  const bodies = await race(5, async () => {
    const visitor = edge.visitor()
    return { visitor, body: await passwordBody(visitor, answer) }
  })
  const before = sessionsOf(edge)
  const replies = await race(50, (i) => {
    const { visitor, body } = bodies[i % 5]!
    return visitor.post('/v1/login/password/finish', body)
  })
  expect(statuses(replies)[200]).toBe(1)
  expect(sessionsOf(edge)).toBe(before + 1)
})

test('a code is refused when it was used, and so is each of a step before it', async () => {
  const { edge, code } = await newAccount()
  const [earlier, used] = [code(-1), code()]
  expect((await passwordLogin(edge.visitor(), { code: used })).status).toBe(200)
  for (const old of [used, earlier]) {
    expect((await passwordLogin(edge.visitor(), { code: old })).status).toBe(401)
    expect(lastRefusal(edge)).toBe('code_spent')
  }
  expect((await passwordLogin(edge.visitor(), { code: code(1) })).status).toBe(200)
})

test('the code that added an app is used by that', async () => {
  const { edge, secret } = await newAccount()
  const first = codeAt(secret, edge.ports.now(), -1)
  expect((await passwordLogin(edge.visitor(), { code: first })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('code_spent')
})
