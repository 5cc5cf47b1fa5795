import { expect, test } from 'vitest'
import { ask, dial, edgeThat, head, startProxy } from './proxy.ts'

async function proxyAndPort() {
  const asked: string[] = []
  const edge = await edgeThat(({ url }, response) => {
    asked.push(url ?? '')
    response.end()
  })
  const proxy = await startProxy({ edge, publicUrl: 'https://access.example.com' })
  return { proxy, asked }
}

test.each([
  'evil.example',
  'localhost.evil.example',
  'localhost:1',
  'access.example.com:3443',
  'user@localhost',
  'access.example.com/',
  'access.example.com@evil.example',
  'localhost.',
  '[::1',
  '127.0.0.2',
])('Host %j is 421 and never reaches the edge', async (Host) => {
  const { proxy, asked } = await proxyAndPort()
  for (const path of ['/v1/x', '/account', '/.well-known/sallyport']) {
    const answer = await ask(proxy, path, { headers: { Host } })
    expect(answer).toMatchObject({ status: 421, headers: { 'cache-control': 'no-store' } })
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'wrong_host' })
  }
  expect(asked).toEqual([])
  await expect.poll(proxy.codes).toEqual(Array(3).fill('host_unknown'))
})

test.each([[[]], [['Host: localhost', 'Host: localhost']], [['Host: localhost', 'host: access.example.com']]])(
  'Host fields %j are 400: there must be one',
  async (hosts) => {
    const { proxy, asked } = await proxyAndPort()
    const wire = await dial(proxy)
    wire.send(head('GET /v1/x HTTP/1.1', ...hosts, 'Connection: close'))
    await wire.closed
    expect(wire.said()).toMatch(/^HTTP\/1\.1 400 /)
    expect(asked).toEqual([])
    await expect.poll(proxy.codes).toEqual(['host_not_single'])
  },
)
