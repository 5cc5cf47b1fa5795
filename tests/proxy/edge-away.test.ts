import { expect, test } from 'vitest'
import { freePort } from '../runtime/launch.ts'
import { ask, edgeThat, rawEdge, startProxy } from './proxy.ts'

test('nobody there: 502 at once, with what to do; and it works when the edge is back', async () => {
  const proxy = await startProxy({ edge: `http://localhost:${await freePort()}` })
  const answer = await ask(proxy, '/v1/x?secret=1')
  expect(answer.status).toBe(502)
  expect(JSON.parse(answer.body)).toMatchObject({ error: 'unavailable', message: expect.stringContaining('edge') })
  const line = { code: 'edge_unreachable', detail: 'ECONNREFUSED', path: '/v1/x', status: 502, level: 'error' }
  await expect.poll(() => proxy.log).toEqual([expect.objectContaining(line)])
  expect(JSON.stringify(proxy.log)).not.toContain('secret')
})

test.each([
  ['closes', '', 'edge_broke_off'],
  ['says no HTTP', 'SSH-2.0-OpenSSH_9\r\n', 'edge_broke_off'],
])('an edge that %s instead of answering: 502', async (_, bytes, code) => {
  const edge = await rawEdge((socket) => socket.once('data', () => socket.end(bytes)))
  const proxy = await startProxy({ edge })
  expect((await ask(proxy, '/v1/x', { method: 'POST', body: '{}' })).status).toBe(502)
  await expect.poll(proxy.codes).toEqual([code])
})

test('an edge that closes the connection which it kept is asked again, when nothing can happen twice', async () => {
  let connections = 0
  const edge = await rawEdge((socket) => {
    const number = ++connections
    let requests = 0
    socket.on('data', () => {
      requests++
      if (number === 1 && requests === 2) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const proxy = await startProxy({ edge })
  expect((await ask(proxy, '/v1/x')).status).toBe(200)
  expect((await ask(proxy, '/v1/x')).body).toBe('ok')
  expect(connections).toBe(2)
})

test('a request that changes something is not asked again', async () => {
  let requests = 0
  const edge = await rawEdge((socket) =>
    socket.on('data', () => {
      requests++
      if (requests === 2) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }),
  )
  const proxy = await startProxy({ edge })
  const post = { method: 'POST', body: '{}' }
  expect((await ask(proxy, '/v1/x', post)).status).toBe(200)
  expect((await ask(proxy, '/v1/x', post)).status).toBe(502)
  expect(requests).toBe(2)
})

test('it keeps its connections to the edge', async () => {
  const sockets = new Set()
  const edge = await edgeThat(({ socket }, response) => {
    sockets.add(socket)
    response.end()
  })
  const proxy = await startProxy({ edge })
  for (let i = 0; i < 5; i++) expect((await ask(proxy, '/v1/x')).status).toBe(200)
  expect(sockets.size).toBe(1)
})
