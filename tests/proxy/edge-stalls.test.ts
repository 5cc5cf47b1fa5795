import { expect, test } from 'vitest'
import { ask, dial, edgeThat, head, rawEdge, startProxy, until } from './proxy.ts'

test('an edge that does not answer: 504 when the time is over, and its connection is gone', async () => {
  let closed = false
  const edge = await rawEdge((socket) => {
    socket.resume().on('close', () => {
      closed = true
    })
  })
  const proxy = await startProxy({ edge, limits: { answerMs: 200 } })
  const answer = await ask(proxy, '/v1/x', { method: 'POST', body: '{}' })
  expect(answer.status).toBe(504)
  expect(JSON.parse(answer.body)).toMatchObject({ error: 'unavailable' })
  await expect.poll(proxy.codes).toEqual(['edge_too_slow'])
  await until(() => closed)
})

test('requests that wait for a connection to the edge do not wait longer', async () => {
  const edge = await rawEdge((socket) => void socket.resume())
  const proxy = await startProxy({ edge, limits: { answerMs: 200, edgeSockets: 1 } })
  const answers = await Promise.all([1, 2, 3].map(() => ask(proxy, '/v1/x')))
  expect(answers.map(({ status }) => status)).toEqual([504, 504, 504])
})

test('an answer that stalls half-way is reset, and does not look complete', async () => {
  const edge = await edgeThat((_, response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('half')
  })
  const proxy = await startProxy({ edge, limits: { stallMs: 200 } })
  await expect(ask(proxy, '/v1/x')).rejects.toThrow()
  await expect.poll(proxy.codes).toEqual(['answer_stalled'])
})

test('an answer that goes on in small steps lives longer than the time without a step, and not longer than an exchange', async () => {
  let steps = 0
  const edge = await edgeThat((_, response) => {
    const timer = setInterval(() => response.write(`${++steps}\n`), 50)
    response.on('close', () => clearInterval(timer))
  })
  const proxy = await startProxy({ edge, limits: { stallMs: 200, exchangeMs: 1000 } })
  await expect(ask(proxy, '/v1/x')).rejects.toThrow()
  expect(steps).toBeGreaterThan(8)
  await expect.poll(proxy.codes).toEqual(['exchange_too_long'])
})

test('a client that goes away takes its request to the edge with it', async () => {
  let gone = false
  const edge = await edgeThat((_, response) => {
    response.on('close', () => {
      gone = true
    })
  })
  const proxy = await startProxy({ edge })
  const wire = await dial(proxy)
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: localhost'))
  setTimeout(() => wire.socket.destroy(), 100)
  await until(() => gone)
  await until(() => proxy.codes().includes('client_gone'))
})
