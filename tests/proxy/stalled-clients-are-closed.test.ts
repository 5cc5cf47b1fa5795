/** Each state has a deadline, and it is absolute: a byte now and then does not move it. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { dial, edgeThat, head, startProxy, until } from './proxy.ts'

const edge = 'http://localhost:1'

test('in the handshake, saying nothing or one byte at a time', async () => {
  const proxy = await startProxy({ edge, limits: { handshakeMs: 300 } })
  const from = performance.now()
  const closed = [false, true].map(async (trickles) => {
    const socket = connect(proxy.port, '127.0.0.1')
    // The begin of a record of 4,096 bytes, which is a hello.
    const record = [0x16, 0x03, 0x01, 0x10, 0x00, 0x01, 0x00, 0x0f, 0xfc]
    const timer = setInterval(() => trickles && socket.write(new Uint8Array([record.shift() ?? 0])), 20)
    socket.on('error', () => undefined).resume()
    await new Promise((done) => socket.once('close', done))
    clearInterval(timer)
  })
  await Promise.all(closed)
  expect(performance.now() - from).toBeLessThan(2000)
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow', 'handshake_too_slow'])
})

test('in the head of the first request, and of the next one', async () => {
  const proxy = await startProxy({ edge, limits: { headMs: 300, idleMs: 300 } })
  for (const first of ['', head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost')]) {
    const wire = await dial(proxy)
    wire.send(first)
    await until(() => first === '' || wire.said().endsWith('}'))
    wire.send('GET /v1/x HTTP/1.1\r\n')
    const timer = setInterval(() => wire.socket.write('X: y\r\n'), 20)
    await wire.closed
    clearInterval(timer)
  }
  await expect.poll(proxy.codes).toEqual(['head_too_slow', 'head_too_slow'])
})

test('in the head of a request for the API alone', async () => {
  const proxy = await startProxy({ edge, limits: { headMs: 300, handshakeMs: 60_000 } })
  const wire = await dial(proxy, { ALPNProtocols: ['sallyport-auth'] })
  wire.send('GET /v1/x HTTP/1.1\r\n')
  await wire.closed
  await expect.poll(proxy.codes).toEqual(['head_too_slow'])
})

test('between two requests, without a line in the log', async () => {
  const proxy = await startProxy({ edge, limits: { idleMs: 200 } })
  const wire = await dial(proxy)
  wire.send(head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost'))
  expect(await wire.closed).toBeUndefined()
  await expect.poll(proxy.codes).toEqual([])
})

test('in a body: 408, and the request to the edge is not completed', async () => {
  let outcome = ''
  const hungry = await edgeThat((request) => {
    request.resume()
    request.on('end', () => {
      outcome = 'complete'
    })
    request.on('error', () => {
      outcome = 'broken'
    })
  })
  const proxy = await startProxy({ edge: hungry, limits: { bodyMs: 300, idleMs: 100, headMs: 200 } })
  const wire = await dial(proxy)
  wire.send(head('POST /v1/x HTTP/1.1', 'Host: localhost', 'Content-Length: 1000'))
  const timer = setInterval(() => wire.socket.write('x'), 20)
  await wire.closed
  clearInterval(timer)
  expect(wire.said()).toMatch(/^HTTP\/1\.1 408 /)
  await expect.poll(() => proxy.codes()[0]).toBe('body_too_slow')
  await until(() => outcome === 'broken')
})

test('in an answer that they do not read', async () => {
  const endless = await edgeThat((_, response) => {
    const more = () => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  const proxy = await startProxy({ edge: endless, limits: { stallMs: 300 } })
  const wire = await dial(proxy)
  wire.socket.pause()
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: localhost'))
  await until(() => proxy.codes().length > 0)
  await expect.poll(proxy.codes).toEqual(['client_stalled'])
})

test('in answers of the proxy itself that they do not read', async () => {
  const proxy = await startProxy({ edge, limits: { stallMs: 1000 } })
  const wire = await dial(proxy)
  wire.socket.pause()
  const ten = head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost').repeat(10)
  // Until the buffers on the way are full of answers.
  const areAnswered = async () => {
    const before = proxy.log.length
    wire.send(ten)
    return until(() => proxy.log.length >= before + 10, 300).then(
      () => true,
      () => false,
    )
  }
  while (await areAnswered());
  await until(() => proxy.codes().includes('client_stalled'))
})

test('a head over 16 KiB is 431', async () => {
  const proxy = await startProxy({ edge })
  const wire = await dial(proxy)
  wire.send(head('GET /v1/x HTTP/1.1', 'Host: localhost', `X: ${'y'.repeat(16 * 1024)}`))
  await wire.closed
  expect(wire.said()).toMatch(/^HTTP\/1\.1 431 /)
  await expect.poll(proxy.codes).toEqual(['head_too_large'])
})
