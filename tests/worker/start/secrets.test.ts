import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newAuthenticator } from '../../authenticator.ts'
import { addBody, loginBody, registerFirst, Visitor } from '../../client.ts'
import { launchServe } from '../../runtime/launch.ts'
import { keyOf, newHome } from './start.ts'

test('stdout and stderr hold no secret but the link, which stands in one line of stdout', async () => {
  const edge = await launchServe('node', { home: newHome() })
  const secret = edge.secret ?? ''
  const make = () => newAuthenticator({ origin: edge.origin, rpId: 'localhost' })
  const [passkey, added] = [await make(), await make()]
  const visitor = new Visitor(edge.origin)
  expect((await registerFirst(visitor, secret, passkey)).status).toBe(200)
  const login = await loginBody(visitor, passkey)
  expect((await visitor.post('/v1/login/finish', login)).status).toBe(200)
  expect((await visitor.post('/v1/login/finish', login)).status).toBe(401)
  const adding = await addBody(visitor, passkey, added)
  expect((await visitor.get(`/account?ticket=${login.ticket}`)).status).toBe(200)
  expect(await edge.stop()).toBe(0)

  const key = readFileSync(keyOf(edge.home), 'utf8')
  const cookies = [...visitor.cookies.values()].flatMap((value) => value.split('.').at(-1) ?? [])
  const seals = [login.ticket, adding.ticket].map((ticket) => ticket.split('.')[1] ?? '')
  expect([key, ...cookies, ...seals].every((text) => text.length > 20)).toBe(true)
  for (const text of [key, ...cookies, ...seals]) expect(edge.stdout() + edge.stderr()).not.toContain(text)
  expect(edge.stderr()).not.toContain(secret)
  expect(edge.stdout()).toBe(
    `edge ready ${edge.origin}\nfirst administrator: ${edge.origin}/first-administrator#${secret}\n`,
  )
})
