import { expect, test } from 'vitest'
import { ask, edgeThat, startProxy } from './proxy.ts'

const publicUrl = 'https://access.example.com'

async function proxyBeforePages() {
  const asked: string[] = []
  const edge = await edgeThat(({ url, headers }, response) => {
    asked.push(`${headers.host} ${url}`)
    response.end('a page')
  })
  return { proxy: await startProxy({ edge, publicUrl }), asked }
}

test.each([
  ['/', '/'],
  ['/account?x=1&y=%2f', '/account?x=1&y=%2f'],
  ['/v1', '/v1'],
  ['/v1x/', '/v1x/'],
  ['/v1/../account', '/account'],
  ['//evil.example/', '/evil.example/'],
  ['/healthz/', '/healthz/'],
])('%s under a name of the proxy is answered with the public address', async (path, there) => {
  const { proxy, asked } = await proxyBeforePages()
  const answer = await ask(proxy, path)
  expect(answer).toMatchObject({ status: 307, headers: { location: `${publicUrl}${there}` } })
  expect(asked).toEqual([])
})

test('what cannot be asked again elsewhere is refused', async () => {
  const { proxy, asked } = await proxyBeforePages()
  const answer = await ask(proxy, '/account', { method: 'POST', body: '{}' })
  expect(answer.status).toBe(421)
  expect(asked).toEqual([])
})

test.each(['access.example.com', 'ACCESS.example.com:443'])(
  'under the public host (%s) they come from the edge',
  async (Host) => {
    const { proxy, asked } = await proxyBeforePages()
    expect(await ask(proxy, '/account?x=1', { headers: { Host } })).toMatchObject({ status: 200, body: 'a page' })
    expect(asked).toEqual([`${Host} /account?x=1`])
  },
)
