/** An answer that the edge did not finish must not look finished to the client, however it is delimited. */
import { expect, test } from 'vitest'
import { dial, head, rawEdge, startProxy } from './proxy.ts'

const halves: readonly (readonly [how: string, answer: string])[] = [
  ['by its length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
  ['by chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ['by a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno chunk\r\n'],
]
const cases = halves.flatMap(([how, answer]) => ['1.0', '1.1'].map((version) => ({ how, version, answer })))

test.each(cases)('delimited $how, for HTTP/$version: the connection is reset', async ({ answer, version }) => {
  const edge = await rawEdge((socket) =>
    socket.once('data', () => {
      socket.write(answer)
      setTimeout(() => socket.end(), 50)
    }),
  )
  const proxy = await startProxy({ edge })
  const wire = await dial(proxy)
  wire.send(head(`GET /v1/x HTTP/${version}`, 'Host: localhost'))
  expect(await wire.closed).toBe('ECONNRESET')
  expect(wire.said()).toMatch(/^HTTP\/1\.1 200 OK/)
  expect(wire.said()).not.toMatch(/\r\n0\r\n\r\n$/)
  await expect.poll(proxy.codes).toEqual(['answer_broke_off'])
})
