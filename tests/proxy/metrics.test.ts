/** Counters are the log's lines; the admin port tells them, and whether new sessions can begin. */
import { expect, test } from 'vitest'
import { serveAdmin } from '../../proxy/admin.ts'
import { countLog } from '../../proxy/metrics.ts'
import { freePort } from '../runtime/launch.ts'
import { atEnd } from './proxy.ts'

test('each reason is counted, and readiness is told', async () => {
  const metrics = countLog(() => undefined)
  for (const code of ['grant_spent', 'grant_spent', 'tap_wanted'])
    metrics.log({ level: 'info', message: 'proxy request', code })
  let isReady = true
  const port = await freePort()
  atEnd(await serveAdmin(port, { isReady: () => isReady, metrics: () => metrics.text({ sessions: 3 }) }))
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  const { text } = await ask('/metrics')
  expect(text).toContain('sallyport_proxy_log_total{message="proxy request",code="grant_spent"} 2')
  expect(text).toContain('sallyport_proxy_sessions 3')
  expect(await ask('/readyz')).toMatchObject({ status: 200 })
  isReady = false
  expect(await ask('/readyz')).toMatchObject({ status: 503 })
  expect(await ask('/healthz')).toMatchObject({ status: 200 })
  expect(await ask('/other')).toMatchObject({ status: 404 })
})
