/** A connection to the edge that is kept is ended by the proxy before the edge would: a POST that meets its end could not be repeated. */
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { ask, atEnd, startProxy } from './proxy.ts'

test('who ends it is the proxy; an answer that takes longer than that still comes', async () => {
  const ends: string[] = []
  const edge = createServer({ keepAliveTimeout: 60_000 }, (asked, reply) => {
    asked.resume()
    setTimeout(() => reply.end('answered'), asked.method === 'POST' ? 900 : 0)
  })
  edge.on('connection', (socket) => {
    socket.once('end', () => ends.push('proxy'))
    socket.once('error', () => ends.push('error'))
  })
  await new Promise<void>((done) => edge.listen(0, '127.0.0.1', done))
  atEnd(() => new Promise<void>((done) => void edge.close(() => done()).closeAllConnections()))
  const { port } = edge.address() as { port: number }
  const proxy = await startProxy({ edge: `http://localhost:${port}`, limits: { edgeIdleMs: 300 } })
  expect(await ask(proxy, '/healthz')).toMatchObject({ status: 200, body: 'answered' })
  await expect.poll(() => ends, { timeout: 15_000 }).toEqual(['proxy'])
  const slow = await ask(proxy, '/v1/x', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  })
  expect(slow).toMatchObject({ status: 200, body: 'answered' })
})
