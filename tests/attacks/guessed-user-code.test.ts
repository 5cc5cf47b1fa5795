import { expect, test } from 'vitest'
import { minutes } from '../../core/model.ts'
import type { Reply, Visitor } from '../client.ts'
import { newDeviceFlow } from '../device-flow.ts'
import { lastRefusal, signIn } from '../edge.ts'

const most = 10
const guess = 'ZZZZ-ZZZZ'

/** Every way in which a code can be tried. */
const ways: Record<string, (visitor: Visitor, user_code: string) => Promise<Reply>> = {
  page: (visitor, user_code) => visitor.get(`/device?user_code=${user_code}`),
  begin: (visitor, user_code) => visitor.post('/v1/device/begin', { user_code }),
  refuse: (visitor, user_code) => visitor.post('/v1/device/refuse', { user_code }),
  finish: (visitor, user_code) =>
    visitor.post('/v1/device/finish', {
      user_code,
      ticket: 'x',
      assertion: { id: 'x', response: { clientDataJSON: '', authenticatorData: '', signature: '' } },
    }),
}

/** The same session at another address. */
const moved = (visitor: Visitor): Visitor => visitor.copy()

test.each(Object.entries(ways))(
  'by way of %s: ten wrong codes a minute, then 429, also for a right one',
  async (_, way) => {
    const { edge, bob, codes } = await newDeviceFlow({ failuresAMinute: most })
    for (let i = 0; i < most; i++) expect((await way(bob.visitor, guess)).status).toBe(404)
    expect(lastRefusal(edge)).toBe('user_code_unknown')
    const limited = await way(bob.visitor, codes.user_code)
    expect(limited.status).toBe(429)
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
    edge.advance(minutes(1))
    expect((await ways['page']?.(bob.visitor, codes.user_code))?.status).toBe(200)
  },
)

test('a session that guesses from one address after another has to wait too', async () => {
  const { bob, codes } = await newDeviceFlow({ failuresAMinute: most })
  for (let i = 0; i < most; i++) expect((await ways['page']?.(moved(bob.visitor), guess))?.status).toBe(404)
  for (const way of Object.values(ways)) expect((await way(moved(bob.visitor), codes.user_code)).status).toBe(429)
})

test('an address that guesses with one session after another has to wait too', async () => {
  const { edge, bob, codes } = await newDeviceFlow({ failuresAMinute: most })
  for (let i = 0; i < most; i++) expect((await ways['page']?.(bob.visitor, guess))?.status).toBe(404)
  const another = await signIn(edge, bob.passkey)
  const at = (address: string) => another.get(`/device?user_code=${codes.user_code}`, { 'cf-connecting-ip': address })
  expect((await at(bob.visitor.address)).status).toBe(429)
  expect((await at(another.address)).status).toBe(200)
})

test('right codes do not count, nor does what is no guess', async () => {
  const { bob, codes } = await newDeviceFlow({ failuresAMinute: most })
  for (let i = 0; i < 2 * most; i++) {
    expect((await bob.visitor.get(`/device?user_code=${codes.user_code}`)).status).toBe(200)
    expect((await bob.visitor.get('/device')).status).toBe(200)
    expect((await bob.visitor.get('/device?user_code=')).status).toBe(200)
  }
})

test('who is not signed in learns nothing of a code, and what he tries is not even looked for', async () => {
  const { edge, codes } = await newDeviceFlow()
  const stranger = edge.visitor()
  const [right, wrong] = [
    await stranger.get(`/device?user_code=${codes.user_code}`),
    await stranger.get(`/device?user_code=${guess}`),
  ]
  expect([right.status, wrong.status]).toEqual([302, 302])
  for (const [name, way] of Object.entries(ways)) {
    if (name === 'page') continue
    const [found, missed] = [await way(stranger, codes.user_code), await way(stranger, guess)]
    expect([name, found.status, missed.status]).toEqual([name, 401, 401])
    expect(found.json.error).toBe(missed.json.error)
  }
})
