import { expect, test } from 'vitest'
import { dial, head, local, startProxy } from './proxy.ts'

const edge = 'http://localhost:1'
const discovery = head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost', 'Connection: close')

const versions = ['TLSv1.2', 'TLSv1.3'] as const
test.each(versions)('%s: a foreign name gets the alert unrecognized_name', async (maxVersion) => {
  const proxy = await startProxy({ edge })
  for (const servername of ['evil.example', 'localhost.evil.example', 'notlocalhost']) {
    expect(await (await dial(proxy, { servername, maxVersion })).closed).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
  }
  await expect.poll(proxy.codes).toEqual(Array(3).fill('server_name_unknown'))
})

test.each(['localhost', 'LocalHost', 'localhost.', 'proxy.localhost', 'access.example.com', ''])(
  '%j is ours, or none',
  async (servername) => {
    const proxy = await startProxy({
      edge,
      publicUrl: 'https://access.example.com',
      names: { ...local, dns: ['localhost', 'proxy.localhost'] },
    })
    const wire = await dial(proxy, { servername, checkServerIdentity: () => undefined })
    wire.send(discovery)
    expect(await wire.closed).toBeUndefined()
    expect(wire.said()).toMatch(/^HTTP\/1\.1 200 /)
  },
)

test.each(versions)('%s: no session is resumed, so each is asked for its name', async (maxVersion) => {
  const proxy = await startProxy({ edge })
  const wire = await dial(proxy, { maxVersion })
  // TLS 1.2 has its session by now, TLS 1.3 tells it later.
  let session: Buffer | undefined = maxVersion === 'TLSv1.2' ? wire.socket.getSession() : undefined
  wire.socket.on('session', (given: Buffer) => {
    session = given
  })
  wire.send(discovery)
  await wire.closed
  const again = await dial(proxy, { maxVersion, ...(session ? { session } : {}) })
  expect(again.socket.isSessionReused()).toBe(false)
})
