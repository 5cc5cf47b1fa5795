import { expect, test } from 'vitest'
import { challengeOf } from '../../core/intent.ts'
import { base64url } from '../../core/lib/bytes.ts'
import { addPasskey, intentIn, removePasskey } from '../client.ts'
import { lastRefusal } from '../edge.ts'
import { askForTap, call, newAdmin, newPerson, type Person, tapFor, tapHeaderOf } from '../people.ts'

const body = { kind: 'passkey', name: 'Second' }
const ask = (person: Person) => askForTap(person, body, 'factorRemove')
const remove = ({ program, token }: Person, given: typeof body, tap?: string) =>
  program.call('POST', '/v1/me/factors/remove', token, {
    body: given,
    headers: tap === undefined ? {} : { 'sallyport-tap': tap },
  })

async function withTwo() {
  const ada = await newAdmin()
  const second = await ada.edge.authenticator()
  await addPasskey(ada.visitor, ada.passkey, second)
  return { ada, edge: ada.edge, second }
}
const left = ({ edge }: Pick<Person, 'edge'>) => edge.rows('select name from credentials where removed_at is null')

test('it goes with a tap of another one, which the page asks for alone', async () => {
  const { ada, second } = await withTwo()
  const { ticket } = (await ask(ada)).json
  const { options } = (await ada.visitor.post('/v1/taps/options', { ticket })).json
  expect(options.allowCredentials.map(({ id }: { id: string }) => id)).toEqual([ada.passkey.credentialId])
  expect((await remove(ada, body, await tapFor(ada, body, ada, 'factorRemove'))).status).toBe(200)
  expect(left(ada)).toHaveLength(1)
  const { factors } = (await call(ada, 'GET', '/v1/me/factors')).json
  expect(factors.map(({ name }: { name: string }) => name)).not.toContain('Second')
  expect(second.credentialId).toBeDefined()
})

test('without a tap, or with its own, it stays', async () => {
  const { ada, edge, second } = await withTwo()
  expect((await remove(ada, body)).status).toBe(403)
  expect(lastRefusal(edge)).toBe('tap_missing')
  const { ticket } = (await ask(ada)).json
  const assertion = await second.get({ challenge: base64url(challengeOf(intentIn(ticket))) })
  expect((await remove(ada, body, tapHeaderOf(ticket, assertion as never))).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  expect(left(ada)).toHaveLength(2)
})

test('a tap for one removes no other, nor one that took its name', async () => {
  const { ada, edge, second } = await withTwo()
  const tap = await tapFor(ada, body, ada, 'factorRemove')
  const third = await edge.authenticator()
  await addPasskey(ada.visitor, ada.passkey, third, { name: 'Third' })
  expect((await remove(ada, { ...body, name: 'Third' }, tap)).status).toBe(401)
  expect(lastRefusal(edge)).toBe('wrong_subject')
  await removePasskey(ada.visitor, ada.passkey, second.credentialId)
  await addPasskey(ada.visitor, ada.passkey, await edge.authenticator(), { name: 'Second' })
  // The earlier tap is to fail for what it names, not for its counter.
  edge.store.raw.exec('update credentials set counter = 0')
  expect((await remove(ada, body, tap)).status).toBe(404)
  expect(lastRefusal(edge)).toBe('not_found')
  expect(left(ada)).toHaveLength(3)
})

test('the last one, and one that is not there, get no ticket', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob')
  const { factors } = (await call(bob, 'GET', '/v1/me/factors')).json
  const own = { kind: 'passkey', name: factors[0].name as string }
  expect((await askForTap(bob, own, 'factorRemove')).json.error).toBe('last_passkey')
  expect((await ask(bob)).json.error).toBe('passkey_unknown')
})

test('one that may vouch does not go by a tap of one that may not', async () => {
  const { ada, edge, second } = await withTwo()
  edge.store.raw.prepare('update credentials set may_vouch = 0 where id = ?').run(ada.passkey.credentialId)
  expect((await ask(ada)).json.error).toBe('last_passkey')
  edge.store.raw.prepare('update credentials set may_vouch = 1').run()
  const tap = await tapFor(ada, body, ada, 'factorRemove')
  edge.store.raw.prepare('update credentials set may_vouch = 0 where id = ?').run(ada.passkey.credentialId)
  expect((await remove(ada, body, tap)).status).toBe(404)
  expect(left(ada)).toHaveLength(2)
  expect(second.credentialId).toBeDefined()
})
