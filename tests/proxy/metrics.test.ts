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
  let why: string | undefined
  const port = await freePort()
  atEnd(await serveAdmin(port, { whyNotReady: () => why, metrics: () => metrics.text({ sessions: 3 }) }))
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  const { text } = await ask('/metrics')
  expect(text).toContain('sallyport_proxy_log_total{message="proxy request",code="grant_spent"} 2')
  expect(text).toContain('sallyport_proxy_sessions 3')
  expect(await ask('/readyz')).toMatchObject({ status: 200 })
  why = 'it is being stopped'
  expect(await ask('/readyz')).toMatchObject({ status: 503 })
  expect(await ask('/healthz')).toMatchObject({ status: 200 })
  expect(await ask('/other')).toMatchObject({ status: 404 })
})

test('connections are measured: bytes by route, hellos, how long they lasted and their dialling took; names are no labels', () => {
  const metrics = countLog(() => undefined)
  const line = {
    level: 'info',
    message: 'connection ended',
    code: 'ended',
    address: '192.0.2.1',
    up: 5,
    down: 7,
  } as const
  metrics.log({ ...line, route: 'git', sni: 'git.secret.test', alpn: 'h2', route_ms: 1, dial_ms: 15, ms: 2000 })
  metrics.log({ ...line, route: 'git', route_ms: 1, dial_ms: 1, ms: 50 })
  metrics.log({ ...line, code: 'not_tls', ms: 1 })
  const text = metrics.text({
    config_reload_failures_total: 2,
    backend_up: new Map([['route="git",backend="a:1"', 1]]),
  })
  for (const one of [
    '# TYPE sallyport_proxy_bytes_total counter',
    'sallyport_proxy_bytes_total{route="git",direction="up"} 10',
    'sallyport_proxy_bytes_total{route="",direction="down"} 7',
    'sallyport_proxy_hellos_total{sni="yes",alpn="yes"} 1',
    'sallyport_proxy_hellos_total{sni="no",alpn="no"} 1',
    '# TYPE sallyport_proxy_config_reload_failures_total counter',
    'sallyport_proxy_backend_up{route="git",backend="a:1"} 1',
    '# TYPE sallyport_proxy_connection_seconds histogram',
    'sallyport_proxy_connection_seconds_bucket{le="0.01"} 1',
    'sallyport_proxy_connection_seconds_bucket{le="0.1"} 2',
    'sallyport_proxy_connection_seconds_bucket{le="+Inf"} 3',
    'sallyport_proxy_dial_seconds_bucket{le="0.001"} 1',
    'sallyport_proxy_dial_seconds_bucket{le="0.02"} 2',
    'sallyport_proxy_dial_seconds_count 2',
  ])
    expect(text.split('\n')).toContain(one)
  expect(text).not.toContain('secret')
})
