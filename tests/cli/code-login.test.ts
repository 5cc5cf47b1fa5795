/** sallyport login where codes are the one second factor, of somebody without a passkey: what the terminal says. */
import { expect, test } from 'vitest'
import { approveByCode, deviceCodeBody, onlyCodes } from '../code-approvals.ts'
import { headlessRole } from '../device-flow.ts'
import { newLogin } from '../edge.ts'
import { addTotp, codeAt, goodPassword, passwordLogin, setPassword } from '../factors.ts'
import { putDocuments } from '../people.ts'
import { prefer } from '../preferences.ts'
import { cliFor, type Front, newFront } from './tls-edge.ts'

/** An edge whose Ada has a password and an app, and no passkey any more. */
async function newCodeFront() {
  const front = await newFront()
  const { edge, person } = front
  const { program, tokens } = await newLogin(edge, person.visitor, person.passkey)
  const admin = { ...person, edge, program, token: tokens.access_token, refreshToken: tokens.refresh_token }
  await prefer(admin, onlyCodes)
  expect((await putDocuments(admin, [headlessRole()])).status).toBe(200)
  edge.store.raw.exec("insert into user_roles select id, 'headless' from users")
  expect((await setPassword(person.visitor, person.passkey)).status).toBe(200)
  const { secret } = await addTotp(edge, person.visitor, person.passkey)
  edge.store.raw.exec('update credentials set removed_at = 1')
  /** As if the half minutes had passed that a person waits for the next. */
  const code = () => {
    edge.store.raw.exec('update totps set last_step = 0')
    return codeAt(secret, edge.ports.now())
  }
  const visitor = edge.visitor()
  expect((await passwordLogin(visitor, { code: code() })).status).toBe(200)
  return { front, visitor, code }
}

const interval = (front: Front) => {
  front.alter = (path, body) => {
    if (path !== '/oauth/device_authorization') return body
    front.edge.store.raw.exec('update device_codes set interval = 100')
    return body.replace('"interval":5', '"interval":0.2')
  }
}

test('login, status, and an administrative verb that says what to do', async () => {
  const { front, visitor, code } = await newCodeFront()
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--no-browser'])
  const url = new URL((await running.seen(/^http:\/\/\S+$/m))[0])
  const wrong = await approveByCode(visitor, Object.fromEntries(url.searchParams), { code: '000000' })
  expect(wrong.status).toBe(401)
  const approved = await approveByCode(visitor, Object.fromEntries(url.searchParams), { code: code() })
  expect(approved.status).toBe(200)
  await fetch(approved.json.location)
  const { code: exit, stdout } = await running.ended
  expect(stdout).toMatch(/^User: +Ada\nCluster: +test\nRoles: +access, auditor, editor, headless\n/m)
  expect(exit).toBe(0)
  expect(JSON.parse((await cli.run(['status', '--format=json'])).stdout)).toMatchObject({ user: 'Ada' })

  const locking = await cli.run(['admin', 'locks', 'add', '--user=Ada'])
  expect(locking).toMatchObject({
    stderr: expect.stringMatching(
      /^sallyport: error: Cannot .+\nhint: A code approved this login, and this wants one that a passkey approved\. Ask an administrator for a link to register one, then: sallyport login\n$/,
    ),
  })
  expect(locking.code).not.toBe(0)
})

test('login --headless: approved by password and code, it ends as any does', async () => {
  const { front, visitor, code } = await newCodeFront()
  interval(front)
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  const [user_code = ''] = await running.seen(/^[B-Z]{4}-[B-Z]{4}$/m)
  const body = await deviceCodeBody(visitor, user_code, { password: goodPassword, code: code() })
  expect((await visitor.post('/v1/device/finish', body)).status).toBe(200)
  const { code: exit, stdout } = await running.ended
  expect(stdout).toMatch(/^Login: +headless: reaches resources and does nothing else$/m)
  expect(exit).toBe(0)
})
