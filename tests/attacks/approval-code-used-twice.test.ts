/** A code approves one program, however many ask with it at once, and opens nothing else. */
import { expect, test } from 'vitest'
import { codeBody, codesOf, deviceCodeBody, newCodeDeviceFlow, newCodePerson } from '../code-approvals.ts'
import { askForCodes } from '../device-flow.ts'
import { lastRefusal } from '../edge.ts'
import { passwordLogin } from '../factors.ts'
import { askOf } from '../program.ts'
import { race, statuses } from '../race.ts'

test('one answer that 50 send at once approves once', async () => {
  const scene = await newCodePerson()
  const { edge, visitor, code } = scene
  const body = await codeBody(visitor, askOf((await edge.program()).key).parameters, { code: code() })
  const replies = await race(50, () => visitor.copy().post('/v1/authorize/finish', body))
  expect(statuses(replies)[200]).toBe(1)
  expect(codesOf(edge)).toHaveLength(1)
})

test('one code with 50 tickets for 50 programs, from five sessions, approves one', async () => {
  const scene = await newCodePerson()
  const { edge, signIn, code } = scene
  const visitors = [scene.visitor]
  for (let i = 0; i < 4; i++) visitors.push(await signIn())
  const typed = { code: code() }
  const bodies = await race(50, async (i) => {
    const visitor = visitors[i % 5]!.copy()
    return { visitor, body: await codeBody(visitor, askOf((await edge.program()).key).parameters, typed) }
  })
  const replies = await race(50, (i) => bodies[i]!.visitor.post('/v1/authorize/finish', bodies[i]!.body))
  expect(statuses(replies)[200]).toBe(1)
  expect(codesOf(edge)).toHaveLength(1)
})

test('a code that signed in, approved, or is of a step before, approves nothing', async () => {
  const { edge, visitor, code, signIn } = await newCodePerson()
  const approve = async (given: string, by = visitor) =>
    by.post('/v1/authorize/finish', await codeBody(by, askOf((await edge.program()).key).parameters, { code: given }))
  for (const used of [code(-1), code()]) {
    const reply = await approve(used)
    if (used === code()) expect(reply.status).toBe(200)
    else expect([reply.status, lastRefusal(edge)]).toEqual([401, 'code_spent'])
  }
  const again = await signIn()
  edge.advance(-30_000)
  expect((await approve(code(), again)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('code_spent')
})

test('a code that approved a program signs nobody in', async () => {
  const { edge, visitor, code } = await newCodePerson()
  const used = code()
  const body = await codeBody(visitor, askOf((await edge.program()).key).parameters, { code: used })
  expect((await visitor.post('/v1/authorize/finish', body)).status).toBe(200)
  expect((await passwordLogin(edge.visitor(), { name: 'Bob', code: used })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('code_spent')
})

test('one code for 50 headless logins at once approves one', async () => {
  const { edge, visitor, code } = await newCodeDeviceFlow()
  const typed = { code: code() }
  const bodies = await race(50, async () => {
    const { user_code } = await askForCodes(await edge.program())
    return deviceCodeBody(visitor.copy(), user_code, typed)
  })
  const replies = await race(50, (i) => visitor.copy().post('/v1/device/finish', bodies[i]!))
  expect(statuses(replies)[200]).toBeLessThanOrEqual(1)
  expect(edge.rows('select hash from device_codes where authenticated_at is not null').length).toBeLessThanOrEqual(1)
})
