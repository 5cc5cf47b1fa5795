/** Browser sessions live at the public address only; and cookies do not keep to a port, so browsers send them here as well. */
import { expect, test } from 'vitest'
import { ask, edgeThat, startProxy } from './proxy.ts'

const echoCookies = () =>
  edgeThat(({ headers }, response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2'])
    response.end(headers.cookie ?? 'none')
  })

test('neither to the edge nor back, under a name of the proxy', async () => {
  const proxy = await startProxy({ edge: await echoCookies(), publicUrl: 'https://access.example.com' })
  const answer = await ask(proxy, '/v1/session', { headers: { cOOkie: 'session=secret' } })
  expect(answer.body).toBe('none')
  expect(answer.headers).not.toHaveProperty('set-cookie')
})

test('under the public host they pass, each in a field of its own', async () => {
  const proxy = await startProxy({ edge: await echoCookies(), publicUrl: 'https://access.example.com' })
  const headers = { Cookie: 'session=secret', Host: 'access.example.com' }
  const answer = await ask(proxy, '/v1/session', { headers })
  expect(answer.body).toBe('session=secret')
  expect(answer.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2'])
})
