import { expect, test } from 'vitest'
import { minutes, seconds } from '../../core/model.ts'
import { lastRefusal } from '../edge.ts'
import { call, newAdmin, newPerson, type Person, recentIsEnough } from '../people.ts'

async function two(settings: Parameters<typeof newAdmin>[0] = {}) {
  const ada = await newAdmin(settings)
  return { ada, edge: ada.edge, bob: await newPerson(ada, 'Bob') }
}

const idsOf = async (person: Person, path = '/v1/me/logins') =>
  (await call(person, 'GET', path)).json.logins as { id: string; kind: string; user: string; this_one: boolean }[]

test('everybody sees and ends his own sessions, and nobody else’s', async () => {
  const { ada, bob } = await two()
  const [adas, bobs] = [await idsOf(ada), await idsOf(bob)]
  expect(new Set(bobs.map(({ user }) => user))).toEqual(new Set(['Bob']))
  expect(new Set(bobs.map(({ kind }) => kind))).toEqual(new Set(['browser', 'program']))
  for (const { id } of adas) {
    expect(await call(bob, 'DELETE', `/v1/me/logins/${id}`)).toMatchObject({
      status: 404,
      json: { error: 'login_unknown' },
    })
    expect(await call(bob, 'DELETE', `/v1/logins/${id}`)).toMatchObject({ status: 403, json: { error: 'forbidden' } })
  }
  expect((await call(bob, 'GET', '/v1/logins')).status).toBe(403)
  const browser = bobs.find(({ kind }) => kind === 'browser')
  for (const { id } of bobs.filter(({ kind }) => kind === 'browser'))
    expect((await call(bob, 'DELETE', `/v1/me/logins/${id}`)).status).toBe(200)
  expect(browser).toBeDefined()
  expect((await bob.visitor.get('/account')).status).toBe(302)
  expect((await call(ada, 'GET', '/v1/me')).status).toBe(200)
})

test('an administrator ends a session of anybody: it is written down, and the program is told', async () => {
  const { ada, edge, bob } = await two()
  const [program] = (await idsOf(ada, '/v1/logins?user=bob')).filter(({ kind }) => kind === 'program')
  expect((await call(ada, 'DELETE', `/v1/logins/${program?.id}`)).status).toBe(200)
  expect((await call(bob, 'GET', '/v1/me')).status).toBe(401)
  expect((await bob.program.refresh(bob.refreshToken)).json.error_description).toMatch(/^An administrator ended it/)
  expect(edge.rows("select outcome, detail from audit where kind = 'login.end' and outcome = 'done'")).toEqual([
    { outcome: 'done', detail: JSON.stringify({ ended: program?.id, of: 'Bob' }) },
  ])
  expect((await call(ada, 'DELETE', `/v1/logins/${program?.id}`)).status).toBe(404)
})

test('it wants a login that is not older than five minutes', async () => {
  const { ada, edge, bob } = await two(recentIsEnough)
  const [target] = await idsOf(bob)
  edge.advance(minutes(5) + seconds(1))
  expect((await call(ada, 'DELETE', `/v1/logins/${target?.id}`)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('login_too_old')
})
