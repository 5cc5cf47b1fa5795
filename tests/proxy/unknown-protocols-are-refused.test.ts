import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { dial, startProxy } from './proxy.ts'

const edge = 'http://localhost:1'

test.each([[['h3']], [['sallyport-other', 'postgresql']]])(
  'ALPN %j alone gets the alert no_application_protocol',
  async (names) => {
    const proxy = await startProxy({ edge })
    const wire = await dial(proxy, { ALPNProtocols: names })
    expect(await wire.closed).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    await expect.poll(proxy.codes).toEqual(['application_protocol_unknown'])
  },
)

test('of http/1.1 and h2 it takes h2', async () => {
  const { socket } = await dial(await startProxy({ edge }), { ALPNProtocols: ['http/1.1', 'h2'] })
  expect(socket.alpnProtocol).toBe('h2')
})

test('TLS 1.1 is refused', async () => {
  const proxy = await startProxy({ edge })
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  expect(await (await dial(proxy, old)).closed).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  await expect.poll(proxy.codes).toEqual(['handshake_failed'])
})

test.each([
  ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'plain_http'],
  ['SSH-2.0-x\r\n', 'plain_ssh'],
  ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'proxy_header'],
])('without TLS (%j) nothing is answered', async (bytes, code) => {
  const proxy = await startProxy({ edge })
  const socket = connect(proxy.port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
  let said = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  socket.on('error', () => undefined)
  await new Promise((done) => socket.once('close', done))
  await expect.poll(proxy.codes).toEqual([code])
  expect(said).toBe('')
})
