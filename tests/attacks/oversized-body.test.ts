import { expect, test } from 'vitest'
import { newAdministrator } from '../edge.ts'

const limit = 256 * 1024
const padded = (size: number) => `{"pad":"${'x'.repeat(size - 10)}"}`

test('a body over 256 KiB is refused, whatever length it announces', async () => {
  const { visitor } = await newAdministrator()
  const headers = { origin: visitor.origin, 'content-type': 'application/json' }
  for (const more of [{}, { 'content-length': '2' }, { 'content-length': String(limit + 1) }]) {
    const reply = await visitor.request('POST', '/v1/login/begin', padded(limit + 1), { ...headers, ...more })
    expect(reply).toMatchObject({ status: 413, json: { error: 'body_too_large' } })
  }
  expect((await visitor.request('POST', '/v1/login/begin', padded(limit), headers)).status).toBe(200)
})

test('a stream that never says how long it is gets cut at the limit', async () => {
  const { edge } = await newAdministrator()
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 65_536
      controller.enqueue(new Uint8Array(65_536).fill(0x20))
    },
  })
  const headers = { origin: edge.site.origin, 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: endless, duplex: 'half' } as RequestInit
  expect((await edge.send(`${edge.site.origin}/v1/login/begin`, init)).status).toBe(413)
  expect(sent).toBeLessThan(2 * limit)
})
