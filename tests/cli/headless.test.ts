/** sallyport login --headless: what the terminal says, from the code to the end. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { approveDevice, headlessRole, refuseDevice } from '../device-flow.ts'
import { newLogin } from '../edge.ts'
import { putDocuments } from '../people.ts'
import type { Running } from './run-cli.ts'
import { answerIn, cliFor, type Front, issuer, newFront } from './tls-edge.ts'

const token = '/oauth/token'
const asking = '/oauth/device_authorization'

/** An edge whose Ada may log in headless, and which is patient: a program may ask every 200 ms. */
async function newHeadlessFront(): Promise<Front> {
  const front = await newFront()
  const { edge, person } = front
  const { program, tokens } = await newLogin(edge, person.visitor, person.passkey)
  const put = await putDocuments({ ...person, program, token: tokens.access_token }, [headlessRole()])
  expect(put.status).toBe(200)
  edge.store.raw.exec("insert into user_roles select id, 'headless' from users")
  front.alter = (path, body) => {
    if (path !== asking) return body
    edge.store.raw.exec('update device_codes set interval = 100')
    return body.replace('"interval":5', '"interval":0.2')
  }
  return front
}

/** The code in the terminal. */
const codeIn = async (running: Running) => ({
  user_code: (await running.seen(/^[B-Z]{4}-[B-Z]{4}$/m))[0],
})

const polls = (front: Front) => front.received.filter(({ body }) => body.includes('device_code')).length

test('the terminal says where to go, the code and its life; approved, it ends as any login does', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  const { user_code } = await codeIn(running)
  await expect.poll(() => polls(front)).toBeGreaterThan(1)
  expect((await approveDevice(front.person, { user_code })).status).toBe(200)
  const { code, stdout, stderr } = await running.ended
  expect(stderr).toBe(`To sign in, open this page in a browser on a machine that has one:
${issuer}/device
and enter this code, which is good for 10 minutes:
${user_code}
Or open this page, and compare the code that it shows:
${issuer}/device?user_code=${user_code}
`)
  expect(stdout).toMatch(
    new RegExp(
      `^Profile: +localhost_${front.port}\nProxy: +localhost:${front.port}\nUser: +Ada\nCluster: +test\nRoles: +access, auditor, editor, headless\nLogin: +headless: reaches resources and does nothing else\nSigned in: +\\S+ \\S+ UTC\nValid until: +\\S+ \\S+ UTC \\(in \\d+ h \\d+ min\\)\n$`,
    ),
  )
  expect(code).toBe(0)

  const [file = ''] = readdirSync(cli.folder).filter((name) => name.endsWith('.json'))
  expect(JSON.parse(readFileSync(join(cli.folder, file), 'utf8')).who).toMatchObject({ via: 'device_flow' })
  for (const more of [[], ['--offline']]) {
    const status = await cli.run(['status', '--format=json', ...more])
    expect(JSON.parse(status.stdout)).toMatchObject({ user: 'Ada', headless: true })
  }
  const admin = await cli.run(['admin', 'users', 'ls'])
  expect(admin).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(
      /^sallyport: error: Cannot .+: the edge answered: headless login \(status 403, request \S+\)\nhint: A headless login reaches resources and does nothing else\. For this, sign in with a browser on this machine: sallyport login\n$/,
    ),
  })
})

test('a login with a browser in its place is headless no more', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  const first = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  await approveDevice(front.person, await codeIn(first))
  expect((await first.ended).code).toBe(0)
  const second = cli.start(['login'])
  await answerIn(second, front.person)
  const { code, stdout } = await second.ended
  expect([code, stdout.includes('headless: reaches')]).toEqual([0, false])
  expect(JSON.parse((await cli.run(['status', '--format=json'])).stdout)).toMatchObject({ headless: false })
})

test('refused in the browser: exit 3, nothing kept', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  await refuseDevice(front.person, await codeIn(running))
  const { code, stderr } = await running.ended
  expect(stderr).toMatch(
    /\nsallyport: error: Cannot sign in: the edge refused it: It was refused in the browser\.\nhint: .+\n$/,
  )
  expect(code).toBe(3)
  expect(existsSync(cli.folder)).toBe(false)
})

test('approved by somebody whose role was taken away meanwhile: exit 3, and what to ask for', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  front.interfere = (_, path) =>
    path === token ? { status: 400, json: { error: 'authorization_pending' } } : undefined
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  await approveDevice(front.person, await codeIn(running))
  front.edge.store.raw.exec("delete from user_roles where role = 'headless'")
  front.interfere = () => undefined
  const { code, stderr } = await running.ended
  expect(stderr).toContain('Cannot sign in: the edge refused it: No role of this user allows it: ask an administrator')
  expect(code).toBe(3)
})

test('Ctrl-C while it waits: at once, exit 130, nothing changed', async () => {
  const front = await newHeadlessFront()
  front.alter = (_, body) => body
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  await running.seen(/user_code=/)
  running.child.kill('SIGINT')
  const since = Date.now()
  const { code, stderr } = await running.ended
  expect(Date.now() - since).toBeLessThan(1000)
  expect(stderr).toMatch(/\nsallyport: stopped, nothing was changed\n$/)
  expect(code).toBe(130)
  expect(existsSync(cli.folder)).toBe(false)
})

test('nobody answered: exit 1, and to try again', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  await codeIn(running)
  front.edge.store.raw.exec('update device_codes set expires_at = 0')
  const { code, stderr } = await running.ended
  expect(stderr).toMatch(
    /\nsallyport: error: Cannot sign in: nobody answered while the code was good\nhint: try again\n$/,
  )
  expect(code).toBe(1)
})

test('the code is over by its own clock too, whatever the edge says', async () => {
  const front = await newHeadlessFront()
  const alter = front.alter
  front.alter = (path, body) => alter(path, body).replace('"expires_in":600', '"expires_in":1')
  const cli = cliFor(front)
  const { code, stderr } = await cli.run(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  expect(stderr).toContain('nobody answered while the code was good')
  expect(code).toBe(1)
})

test('slow_down is honoured: five seconds more between polls', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  const at: number[] = []
  front.interfere = (_, path) => {
    if (path !== token) return undefined
    at.push(Date.now())
    return at.length === 1 ? { status: 400, json: { error: 'slow_down' } } : undefined
  }
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  await approveDevice(front.person, await codeIn(running))
  expect((await running.ended).code).toBe(0)
  expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(5000)
})

test('an edge that is away is asked again, and the terminal says so', async () => {
  const front = await newHeadlessFront()
  const cli = cliFor(front)
  let away = 1
  front.interfere = (_, path) => (path === token && away-- > 0 ? { status: 502, json: {} } : undefined)
  const running = cli.start(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  const code = await codeIn(running)
  await running.seen(/: trying again$/m)
  await approveDevice(front.person, code)
  expect((await running.ended).code).toBe(0)
})

test.each(['https://evil.example/device', 'file:///etc/passwd'])(
  '%s is no page of the edge, and not shown',
  async (evil) => {
    const front = await newHeadlessFront()
    front.alter = (path, body) => (path === asking ? body.replace(`${issuer}/device"`, `${evil}"`) : body)
    const cli = cliFor(front)
    const { code, stderr } = await cli.run(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
    expect(stderr).toContain('the edge names a page of somebody else')
    expect(stderr).not.toMatch(/evil|passwd/)
    expect(code).toBe(1)
  },
)

test('a cluster that knows no headless logins', async () => {
  const front = await newHeadlessFront()
  front.alter = (path, body) =>
    path.startsWith('/.well-known/oauth') ? body.replace('device_authorization_endpoint', 'x') : body
  const cli = cliFor(front)
  const { code, stderr } = await cli.run(['login', cli.proxy, '--ca-file=ca.pem', '--headless'])
  expect(stderr).toBe(
    'sallyport: error: Cannot sign in: this cluster knows no headless logins\nhint: sallyport login\n',
  )
  expect(code).toBe(1)
})
