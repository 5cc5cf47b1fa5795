import { expect, test } from 'vitest'
import { login } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import { askForTap, newAdmin, newInvitation, newPerson } from '../people.ts'
import { approvalBody, askOf, redirectUri } from '../program.ts'

async function two() {
  const ada = await newAdmin()
  return { edge: ada.edge, ada, bob: await newPerson(ada, 'Bob', ['access', 'editor']) }
}

test('an approval that one user began is not finished by another who signs in meanwhile', async () => {
  const { edge, ada, bob } = await two()
  const { parameters } = askOf((await edge.program()).key)
  const { visitor } = ada
  const begun = await approvalBody(visitor, ada.passkey, parameters)
  const byBob = { ...begun, assertion: (await approvalBody(visitor, bob.passkey, parameters)).assertion }
  expect((await login(visitor, bob.passkey)).status).toBe(200)
  const before = edge.rows('select hash from codes').length
  expect((await visitor.post('/v1/authorize/finish', begun)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('session_missing')
  expect((await visitor.post('/v1/authorize/finish', byBob)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect(edge.rows('select hash from codes')).toHaveLength(before)
})

test('a passkey of another user approves nothing in the session of this one', async () => {
  const { edge, ada, bob } = await two()
  const body = await approvalBody(ada.visitor, bob.passkey, askOf((await edge.program()).key).parameters)
  expect((await ada.visitor.post('/v1/authorize/finish', body)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
})

test('a waiting request of another user shows nothing, cannot be tapped, and cannot be refused', async () => {
  const { edge, ada, bob } = await two()
  const { body } = await newInvitation('Eve')
  const { ticket, approve_url } = (await askForTap(ada, body)).json
  const page = await bob.visitor.get(approve_url.slice(edge.site.origin.length))
  expect(page.status).toBe(403)
  expect(page.text).toContain('This is for somebody else')
  expect(page.text).not.toContain('Eve')
  expect((await bob.visitor.post('/v1/taps/options', { ticket })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect((await bob.visitor.post('/v1/taps/refuse', { ticket, redirect_uri: redirectUri, state: '' })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_user')
  expect(edge.rows("select seq from audit where kind = 'tap.refuse' and outcome = 'done'")).toEqual([])
})

test('whoever is not signed in is asked who he is before he is shown anything', async () => {
  const { edge, ada } = await two()
  const { body } = await newInvitation('Eve')
  const { ticket, approve_url } = (await askForTap(ada, body)).json
  const stranger = edge.visitor()
  // What stands behind the # stays in the browser.
  const [path = ''] = approve_url.slice(edge.site.origin.length).split('#')
  const page = await stranger.get(path)
  expect([page.status, page.text.includes('Eve')]).toEqual([302, false])
  expect(new URL(page.headers.get('location') ?? '', edge.site.origin).searchParams.get('next')).toBe(path)
  expect((await stranger.post('/v1/taps/options', { ticket })).status).toBe(401)
  expect(lastRefusal(edge)).toBe('session_missing')
})
