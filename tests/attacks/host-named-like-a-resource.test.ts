/** A role that names any host opens no resource by its name, and a resource's grant no host: no text is the name of both. */
import { expect, test } from 'vitest'
import type { SessionAsk } from '../../core/access/request-session.ts'
import { lastRefusal } from '../edge.ts'
import { askFor, beginSession, exchangeForm, newSessionAdmin, pgDocument } from '../proxies.ts'

const anyHost = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'db-reader' },
  spec: { options: {}, allow: { hosts: [{ name: '*', ports: ['1-65535'] }] }, deny: {} },
} as const

test.each<[what: string, resource: SessionAsk['resource']]>([
  ['a database by the kind host', { kind: 'host', name: 'pg-1' }],
  ['a database by the kind host, with a port', { kind: 'host', name: 'pg-1:5432' }],
  ['a host by the kind of a resource', { kind: 'app', name: 'git.example.com:443' }],
  ['a host by the kind db', { kind: 'db', name: 'pg-1.example.com:5432' }],
])('%s', async (_, resource) => {
  const { edge, program, token, proxy } = await newSessionAdmin(pgDocument(), anyHost)
  const principal = resource.kind === 'db' ? askFor(proxy).principal : {}
  const ask: SessionAsk = { resource, principal, proxy: { id: proxy.id, boot: proxy.boot } }
  expect((await beginSession(program, token, ask)).status).toBeGreaterThanOrEqual(400)
  expect(['target_invalid', 'resource_unknown']).toContain(lastRefusal(edge))
  expect((await program.token(exchangeForm(token, ask))).status).toBe(400)
})

test('the role opens hosts and does not reach the database', async () => {
  const { edge, program, token, proxy } = await newSessionAdmin(pgDocument(), anyHost)
  const host: SessionAsk = {
    ...askFor(proxy),
    resource: { kind: 'host', name: 'pg-1.example.com:5432' },
    principal: {},
  }
  expect((await program.token(exchangeForm(token, host))).status).toBe(200)
  expect((await beginSession(program, token, askFor(proxy))).status).toBeGreaterThanOrEqual(400)
  expect(lastRefusal(edge)).toBe('session_refused')
})
