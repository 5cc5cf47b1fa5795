/** With the real edge, which answers nobody but its public host. */
import { expect, test } from 'vitest'
import { launchServe, remove } from '../runtime/launch.ts'
import { ask, atEnd, edgeThat, startProxy } from './proxy.ts'

test('a ceremony begins through the proxy, and log lines of both share a request id', async () => {
  const edge = await launchServe('node')
  atEnd(async () => {
    await edge.stop()
    remove(edge.home)
  })
  const proxy = await startProxy({ edge: edge.origin })
  const headers = { 'Content-Type': 'application/json', Origin: edge.origin }
  const answer = await ask(proxy, '/v1/login/begin', { method: 'POST', headers, body: '{}' })
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toHaveProperty('ticket')
  const id = answer.headers['x-request-id'] as string
  await expect
    .poll(() => proxy.log)
    .toContainEqual(expect.objectContaining({ request_id: id, path: '/v1/login/begin', status: 200 }))
  await expect.poll(() => edge.stderr()).toContain(id)
})

const publicUrl = 'https://access.example.com'

test.each([
  '/v1/taps?x=1',
  '/oauth/token',
  '/.well-known/oauth-authorization-server',
  '/openapi.json',
  '/healthz',
  '/readyz',
])('%s has the public host at the edge', async (path) => {
  const edge = await edgeThat(({ url, headers }, response) => response.end(`${headers.host} ${url}`))
  const proxy = await startProxy({ edge, publicUrl })
  for (const Host of [`localhost:${proxy.port}`, `LOCALHOST`, `127.0.0.1:${proxy.port}`, '[::1]', 'access.example.com'])
    expect((await ask(proxy, path, { headers: { Host } })).body).toBe(`access.example.com ${path}`)
})
