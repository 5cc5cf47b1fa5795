import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { cliFor, issuer, newFront, signedIn } from './tls-edge.ts'

const evil = 'a\u001b]0;title\u0007b\u001b[2Jc\u009b31md\u202ee\u2066f\ng\u2028h\u007fi'
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

test('text of the edge reaches the terminal without control sequences, in every format and in errors', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const user = { name: evil, roles: [evil], state: 'active', passkeys: 1, created_at: 1 }
  front.interfere = (_, path) => (path.startsWith('/v1/users') ? { json: { users: [user] } } : undefined)
  const text = await cli.run(['admin', 'users', 'ls'])
  expect(text.stdout.split('\n')).toHaveLength(3)
  const [json, yaml] = [
    await cli.run(['admin', 'users', 'ls', '--format=json']),
    await cli.run(['admin', 'users', 'ls', '--format=yaml']),
  ]
  for (const { stdout, stderr } of [text, json, yaml]) expect(stdout + stderr).not.toMatch(controls)
  expect(JSON.parse(json.stdout)[0].name).toBe(evil)
  expect(parse(yaml.stdout)[0].name).toBe(evil)
  front.interfere = () => ({ status: 409, json: { error: evil, message: evil, request_id: evil } })
  const { code, stderr } = await cli.run(['admin', 'users', 'ls'])
  expect(stderr).not.toMatch(controls)
  expect([code, stderr.split('\n').length]).toEqual([1, 3])
})

test('text of the command line does not either', async () => {
  const front = await newFront()
  const cli = cliFor(front)
  for (const args of [
    [evil],
    ['status', `--format=${evil}`],
    ['login', `--proxy=${evil}`],
    ['config', 'use', evil],
    ['admin', 'get', evil],
  ]) {
    const { code, stderr } = await cli.run(args)
    expect(stderr).not.toMatch(controls)
    expect([code, stderr.split('\n').length]).toEqual([2, 3])
  }
})

test('an answer of another shape is refused, with the place of what is wrong', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  front.interfere = (_, path) => (path === '/v1/me' ? { json: { user: { id: 'x', name: 1 } } } : undefined)
  const { code, stderr } = await cli.run(['status'])
  expect(stderr).toContain(
    'the edge answers otherwise than this sallyport expects (answer.user.name: text of at most 256 characters)',
  )
  expect(code).toBe(1)
})

const welcome = '/.well-known/sallyport'
const metadata = '/.well-known/oauth-authorization-server'
const fine = {
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  authorization_response_iss_parameter_supported: true,
}
const answers: [what: string, path: string, json: unknown][] = [
  ['an issuer over plain HTTP elsewhere', welcome, { issuer: 'http://evil.example' }],
  ['an issuer with a path', welcome, { issuer: 'https://evil.example/x' }],
  ['an issuer that is a script', welcome, { issuer: 'javascript:alert(1)' }],
  ['an issuer that is a file', welcome, { issuer: 'file:///etc/passwd' }],
  ['no issuer', welcome, {}],
  ['metadata of another issuer', metadata, { ...fine, issuer: 'http://localhost:3081' }],
  ['metadata without an authorization endpoint', metadata, { ...fine, authorization_endpoint: undefined }],
  [
    'an authorization page of somebody else',
    metadata,
    { ...fine, authorization_endpoint: 'https://evil.example/authorize' },
  ],
  ['an authorization page that is a file', metadata, { ...fine, authorization_endpoint: 'file:///etc/passwd' }],
]

test.each(answers)('login: %s is refused, and no page is shown or opened', async (_, wanted, json) => {
  const front = await newFront()
  const cli = cliFor(front)
  front.interfere = (_, path) => (path === wanted ? { json } : undefined)
  const { code, stderr } = await cli.run(['login', cli.proxy, '--ca-file=ca.pem'])
  expect(stderr).toMatch(/^sallyport: error: Cannot sign in: .+\nhint: .+\n$/)
  expect(stderr).not.toContain('open this page')
  expect([1, 5]).toContain(code)
})

test('an approve page of somebody else is not opened', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const json = { tap: true, ticket: 'x', approve_url: 'https://evil.example/approve' }
  front.interfere = (_, path) => (path === '/v1/taps' ? { json } : undefined)
  const { code, stderr } = await cli.run(['admin', 'users', 'add', 'Eve', '--roles=access'])
  expect(stderr).toContain('the edge names a page of somebody else')
  expect(code).toBe(1)
})

test('redirects are not followed', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const before = front.received.length
  front.interfere = (_, path) => (path === '/v1/me' ? { status: 302, json: {} } : undefined)
  expect((await cli.run(['status'])).code).toBe(1)
  expect(front.received.length).toBe(before + 1)
})

test('nothing is sent to a proxy whose CA changed, whatever Node is told', async () => {
  const [front, other] = [await newFront(), await newFront()]
  const cli = await signedIn(front, { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' })
  const file = `${cli.folder}/localhost_${front.port}.json`
  const { readFileSync, writeFileSync } = await import('node:fs')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`localhost:${front.port}`, `localhost:${other.port}`))
  const { code, stderr } = await cli.run(['status'])
  expect(stderr).toMatch(
    /^sallyport: error: Cannot show the status: localhost:\d+ shows a certificate that is not trusted .*; the pin of its CA is sha256:[\w-]{43}\nhint: /,
  )
  expect([code, other.received]).toEqual([5, []])
})
