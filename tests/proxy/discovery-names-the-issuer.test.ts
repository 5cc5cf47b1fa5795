import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { version } from '../../proxy/discovery.ts'
import { root } from '../runtime/launch.ts'
import { ask, startProxy } from './proxy.ts'

/** Nobody is there: discovery needs no edge. */
const nobody = 'http://localhost:1'

test('GET /.well-known/sallyport says whose proxy it is, without the edge', async () => {
  const proxy = await startProxy({ edge: nobody, publicUrl: 'https://access.example.com' })
  const answer = await ask(proxy, '/.well-known/sallyport?x=1')
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toEqual({ issuer: 'https://access.example.com', methods: ['tls'], version })
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' })
})

test('HEAD has the same head, and other methods are refused', async () => {
  const proxy = await startProxy({ edge: nobody })
  const answer = await ask(proxy, '/.well-known/sallyport', { method: 'HEAD' })
  expect(answer).toMatchObject({ status: 200, body: '' })
  expect(Number(answer.headers['content-length'])).toBeGreaterThan(50)
  const refused = await ask(proxy, '/.well-known/sallyport', { method: 'POST', body: '{}' })
  expect(refused).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  await expect.poll(proxy.codes).toEqual(['method_not_allowed'])
})

test('the version is that of package.json', () => {
  expect(version).toBe(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version)
})
