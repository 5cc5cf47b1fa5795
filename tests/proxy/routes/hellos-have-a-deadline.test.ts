/** One deadline from accept on, absolute: a byte now and then does not move it, and a slow hello within it is as good as any. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { message, pieces, records, sni } from '../../core/hello-writer.ts'
import { until } from '../proxy.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { connectTo, startRoutes } from './routes.ts'

const hello = records(message(sni('a.test')))

async function guarded(handshakeMs: number) {
  const service = await startService(() => undefined)
  return { service, proxy: await startRoutes([{ backends: [service.uri] }], { limits: { handshakeMs } }) }
}

test.each([
  ['nothing comes', []],
  ['half of it comes', [hello.subarray(0, 40)]],
  ['it stalls before its last byte', [hello.subarray(0, -1)]],
  ['it comes a byte at a time, and too late', pieces(hello, 1)],
] as const)('%s', async (_, parts) => {
  const { proxy, service } = await guarded(300)
  const from = performance.now()
  const client = await connectTo(proxy)
  client.socket.once('end', () => client.socket.end())
  for (const part of parts) {
    if (client.socket.destroyed) break
    client.socket.write(part)
    await sleep(10)
  }
  await client.closed
  expect(performance.now() - from).toBeGreaterThan(250)
  await expect.poll(proxy.codes).toEqual(['handshake_too_slow'])
  expect(proxy.metrics()).toContain('code="handshake_too_slow"} 1')
  expect(service.connections).toEqual([])
})

test('a byte at a time within it: the service gets the hello, and no deadline after it', async () => {
  const { proxy, service } = await guarded(1000)
  const client = await connectTo(proxy)
  for (const part of pieces(hello, 1)) {
    client.socket.write(part)
    await sleep(1)
  }
  await until(() => service.connections[0]?.said() === Buffer.from(hello).toString('latin1'))
  await sleep(1200)
  service.connections[0]?.socket.write('still here')
  await until(() => client.said() === 'still here')
  expect(proxy.log).toEqual([])
})
