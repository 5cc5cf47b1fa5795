/** Strangers cannot fill the log, and each of them is counted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { LogLine } from '../../proxy/log.ts'
import { countLog } from '../../proxy/metrics.ts'
import { quieten } from '../../proxy/quiet-log.ts'

const ended = (more: Partial<LogLine> = {}): LogLine => ({
  level: 'info',
  message: 'connection ended',
  code: 'not_tls',
  address: '192.0.2.1',
  ...more,
})

function quiet(every = 60_000) {
  const written: LogLine[] = []
  const { log, flush } = quieten((line) => void written.push(line), every)
  return { written, log, flush }
}

test('the first has its line, the others of the minute one together, by network and reason', () => {
  const { written, log, flush } = quiet()
  for (let n = 0; n < 5; n++) log(ended())
  log(ended({ code: 'sni_malformed' }))
  for (const last of [1, 2]) log(ended({ address: `2001:db8::${last}` }))
  expect(written.map(({ code, address }) => [code, address])).toEqual([
    ['not_tls', '192.0.2.1'],
    ['sni_malformed', '192.0.2.1'],
    ['not_tls', '2001:db8::1'],
  ])
  written.length = 0
  flush()
  expect(written).toEqual([
    { level: 'info', message: 'connections ended alike', code: 'not_tls', network: '192.0.2.1', count: 4 },
    { level: 'info', message: 'connections ended alike', code: 'not_tls', network: '2001:db8:0:0', count: 1 },
  ])
  log(ended())
  expect(written).toHaveLength(3)
})

test('the minute ends by itself', async () => {
  const { written, log } = quiet(20)
  log(ended())
  log(ended())
  for (let waited = 0; written.length < 2 && waited < 200; waited++) await sleep(20)
  expect(written[1]).toMatchObject({ message: 'connections ended alike', count: 1 })
})

test.each<[string, Partial<LogLine>]>([
  ['what reached a backend', { backend: '127.0.0.1:1', code: 'upstream_unreachable' }],
  ['a session', { user: 'u1', code: 'session_cut' }],
  ['an end', { code: 'ended' }],
  ['a request', { message: 'proxy request', code: 'grant_spent' }],
])('%s has its line each time', (_, more) => {
  const { written, log } = quiet()
  for (let n = 0; n < 3; n++) log(ended(more))
  expect(written).toHaveLength(3)
})

test('networks without number are told as one', () => {
  const { written, log, flush } = quiet()
  for (let n = 0; n < 3000; n++) log(ended({ address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` }))
  expect(written).toHaveLength(1000)
  flush()
  expect(written.slice(1000)).toEqual([
    { level: 'info', message: 'connections ended alike', code: 'several', network: 'others', count: 2000 },
  ])
})

test('what is not written is counted all the same', () => {
  const { written, log } = quiet()
  const metrics = countLog(log)
  for (let n = 0; n < 7; n++) metrics.log(ended())
  expect(written).toHaveLength(1)
  expect(metrics.text({})).toContain('log_total{message="connection ended",code="not_tls"} 7\n')
})
