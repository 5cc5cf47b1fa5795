/** One home, several starts. */
import { expect, test } from 'vitest'
import { newAuthenticator } from '../../authenticator.ts'
import { login, registerFirst, Visitor } from '../../client.ts'
import { freePort, launchServe } from '../../runtime/launch.ts'
import { newHome, start } from './start.ts'

const statusOf = async (origin: string, secret: string) =>
  (await new Visitor(origin).post('/v1/first-administrator/check', { secret })).status

test('each start makes a new link and kills the old one; init does too', async () => {
  const [home, port] = [newHome(), await freePort()]
  const first = await launchServe('node', { home, port })
  const old = first.secret ?? ''
  expect(await statusOf(first.origin, old)).toBe(200)
  expect(await first.stop()).toBe(0)
  const second = await launchServe('node', { home, port })
  try {
    expect(second.secret).not.toBe(old)
    expect(await statusOf(second.origin, old)).toBe(410)
    expect(await statusOf(second.origin, second.secret ?? '')).toBe(200)
    const init = await start({ SALLYPORT_HOME: home, SALLYPORT_EDGE_PORT: String(port) }, ['init'])
    const [, newest = ''] = /^first administrator: http:\S+\/first-administrator#(\S+)\n$/.exec(init.stdout) ?? []
    expect(await statusOf(second.origin, second.secret ?? '')).toBe(410)
    expect(await statusOf(second.origin, newest)).toBe(200)
  } finally {
    await second.stop()
  }
})

test('a second start keeps users, passkeys and sessions, and prints no link once there is an administrator', async () => {
  const [home, port] = [newHome(), await freePort()]
  const first = await launchServe('node', { home, port })
  const passkey = await newAuthenticator({ origin: first.origin, rpId: 'localhost' })
  const visitor = new Visitor(first.origin)
  expect((await registerFirst(visitor, first.secret ?? '', passkey)).status).toBe(200)
  expect(await first.stop()).toBe(0)
  const second = await launchServe('node', { home, port })
  try {
    expect(second.stdout()).toBe(`edge ready ${second.origin}\n`)
    expect((await visitor.get('/account')).text).toContain('Ada')
    expect((await login(new Visitor(second.origin), passkey)).status).toBe(200)
    const init = await start({ SALLYPORT_HOME: home, SALLYPORT_EDGE_PORT: String(port) }, ['init'])
    expect(init).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/there is an administrator already\nhint: /),
    })
  } finally {
    await second.stop()
  }
})
