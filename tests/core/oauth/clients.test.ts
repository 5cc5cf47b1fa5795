import { describe, expect, test } from 'vitest'
import { answerAt, builtInClients, hasScope, isLoopbackRedirect, parseScope } from '../../../core/oauth/clients.ts'

describe('isLoopbackRedirect (RFC 8252 section 7.3)', () => {
  test.each([
    'http://127.0.0.1:1/callback',
    'http://127.0.0.1:49152/callback',
    'http://127.0.0.1:65535/callback',
    'http://[::1]:8080/callback',
  ])('takes %s', (uri) => {
    expect(isLoopbackRedirect(uri)).toBe(true)
  })

  test.each([
    '',
    'http://127.0.0.1/callback',
    'http://127.0.0.1:/callback',
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:080/callback',
    'http://127.0.0.1:65536/callback',
    'http://127.0.0.1:99999/callback',
    'http://127.0.0.1:123456/callback',
    'http://127.0.0.1:1.5/callback',
    'http://127.0.0.1:８０/callback',
    'https://127.0.0.1:1/callback',
    'HTTP://127.0.0.1:1/callback',
    'http://localhost:1/callback',
    'http://127.1:1/callback',
    'http://127.0.0.2:1/callback',
    'http://0177.0.0.1:1/callback',
    'http://0.0.0.0:1/callback',
    'http://2130706433:1/callback',
    'http://[::]:1/callback',
    'http://[0:0:0:0:0:0:0:1]:1/callback',
    'http://[::ffff:127.0.0.1]:1/callback',
    'http://[::1%25lo]:1/callback',
    'http://user@127.0.0.1:1/callback',
    'http://127.0.0.1:1@evil.example/callback',
    'http://127.0.0.1.evil.example:1/callback',
    'http://evil.example/127.0.0.1:1/callback',
    'http://127.0.0.1:1/callback/',
    'http://127.0.0.1:1/Callback',
    'http://127.0.0.1:1/callback?next=x',
    'http://127.0.0.1:1/callback#x',
    'http://127.0.0.1:1/',
    'http://127.0.0.1:1/../callback',
    'http://127.0.0.1:1//callback',
    'http:127.0.0.1:1/callback',
    'http:\\\\127.0.0.1:1/callback',
    ' http://127.0.0.1:1/callback',
    'http://127.0.0.1:1/callback\n',
    'http://127.0.0.1:1/callback\nhttp://evil.example',
    'sallyport://callback',
    'urn:ietf:wg:oauth:2.0:oob',
  ])('refuses %j', (uri) => {
    expect(isLoopbackRedirect(uri)).toBe(false)
  })
})

describe('parseScope', () => {
  test.each([
    [undefined, 'api'],
    ['api', 'api'],
    ['openid', 'openid'],
    ['api openid', 'openid api'],
    ['api  openid api', 'openid api'],
    [' openid ', 'openid'],
  ])('reads %j as %j', (given, scope) => {
    expect(parseScope(given)).toBe(scope)
  })

  test.each(['', ' ', 'admin', 'api admin', 'API', 'openid\tapi', 'openid,api', 'api\n', '__proto__'])(
    'answers undefined for %j',
    (given) => {
      expect(parseScope(given)).toBeUndefined()
    },
  )
})

test('hasScope looks at whole words', () => {
  expect(hasScope('openid api', 'api')).toBe(true)
  for (const scope of ['openid', 'apis', 'openid-api', '']) expect(hasScope(scope, 'api')).toBe(false)
})

test('answerAt writes what is given as a query, so that a value is never more than a value', () => {
  const location = answerAt('http://127.0.0.1:1/callback', { code: 'a&b=c#d', state: undefined, iss: 'https://x' })
  expect(location).toBe('http://127.0.0.1:1/callback?code=a%26b%3Dc%23d&iss=https%3A%2F%2Fx')
})

test('builtInClients knows the command, and nothing that objects have from birth', () => {
  expect([...builtInClients.keys()]).toEqual(['sallyport-cli'])
  for (const name of ['', 'constructor', '__proto__']) expect(builtInClients.has(name)).toBe(false)
})
