/** A route that leads back into this proxy, by whichever of its ports, is not dialled: it would go round until nothing is left. */
import { expect, test } from 'vitest'
import { plainListener } from '../../../proxy/listeners.ts'
import { message, records, sni } from '../../core/hello-writer.ts'
import { freePort } from '../../runtime/launch.ts'
import { startRoutes } from '../routes/routes.ts'
import { call } from './front.ts'

test.for(['localhost', '127.0.0.1', '127.9.9.9', '[::1]', '[::ffff:127.0.0.1]'])('as %s', async (host) => {
  const [first, second] = [await freePort(), await freePort()]
  const proxy = await startRoutes(
    [
      { name: 'a', backends: [`${host}:${first}`] },
      { name: 'b', sni: ['b.test'], backends: [`${host}:${second}`] },
      { name: 'c', sni: [], protocol: 'ssh', backends: [`${host}:${second}`] },
    ],
    { port: first, listeners: [{ ...plainListener(['127.0.0.1'], second), name: 'second' }] },
  )
  for (const bytes of [records(message(sni('a.test'))), records(message(sni('b.test'))), 'SSH-2.0-x\r\n'])
    await (await call(first, bytes)).closed
  const refused = () => proxy.codes().filter((code) => code === 'upstream_address_refused').length
  await expect.poll(refused).toBeGreaterThanOrEqual(3)
  expect(proxy.log.filter(({ address }) => address !== '127.0.0.1')).toEqual([])
})
