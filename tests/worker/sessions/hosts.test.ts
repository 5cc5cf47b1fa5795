/** Hosts that are no resources, at the edge: what roles say, the page that names host and port, the grant for exactly that, one tap for several. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { Document } from '../../../core/access/document.ts'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { SessionSetAsk } from '../../../core/access/request-session-set.ts'
import type { RoleDocument } from '../../../core/access/role.ts'
import { lastRefusal } from '../../edge.ts'
import { askFor, beginSession, exchangeForm, newSessionAdmin, pgDocument, tapTicket } from '../../proxies.ts'

const role = (deny: RoleDocument['spec']['deny'] = {}): Document => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: 'db-reader' },
  spec: {
    options: { require_session_mfa: true },
    allow: {
      hosts: [{ name: '*.internal', ports: [443, 22], networks: ['10.0.0.0/8'] }],
      ...{ db_labels: { env: ['dev'] }, db_users: ['reader'], db_names: ['orders'] },
    },
    deny,
  },
})

async function newWorld(deny: RoleDocument['spec']['deny'] = {}) {
  const admin = await newSessionAdmin(pgDocument(), role(deny))
  const { program, token, proxy } = admin
  const ask = (name: string, kind: SessionAsk['resource']['kind'] = 'host'): SessionAsk => ({
    ...{ resource: { kind, name }, principal: {} },
    proxy: { id: proxy.id, boot: proxy.boot },
  })
  const begin = (one: SessionAsk | SessionSetAsk) => beginSession(program, token, one)
  return { ...admin, ask, begin }
}

test('the page has host and port as its largest words, and the grant names them', async () => {
  const { edge, visitor, passkey, program, token, ask, begin } = await newWorld()
  const begun = await begin(ask('git.internal:443'))
  const page = await visitor.get(begun.json.approve_url.replace(edge.site.origin, ''))
  expect(page.text).toMatch(/<h1[^>]*>.*<span class="thing">git\.internal:443<\/span><\/h1>/)
  expect(page.text).toContain('the network host git.internal:443')
  const tap = await tapTicket(visitor, passkey, begun.json.ticket)
  // Approved for one port, and asked for with another.
  const other = await program.token(exchangeForm(token, ask('git.internal:22'), tap))
  expect(other).toMatchObject({ status: 400 })
  const { json } = await program.token(exchangeForm(token, ask('git.internal:443'), tap))
  expect(decodeJwt(json.access_token)).toMatchObject({
    session: { resource: { kind: 'host', name: 'git.internal:443' }, principal: {} },
  })
  const [row] = edge.rows("select detail from audit where kind = 'session.grant' and outcome = 'done'")
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({
    resource: 'git.internal:443',
    rules: expect.stringContaining('db-reader: allows by allow.hosts[0] (*.internal:443,22)'),
  })
})

test('one tap for hosts and resources together, each as often as it says', async () => {
  const { edge, visitor, passkey, program, token, proxy, ask, begin } = await newWorld()
  const [db, first, second] = [askFor(proxy), ask('git.internal:443'), ask('git.internal:22')]
  const set: SessionSetAsk = {
    proxy: db.proxy,
    sessions: [db, first, second].map(({ resource, principal }, at) => ({ resource, principal, count: at + 1 })),
  }
  const begun = await begin(set)
  const page = await visitor.get(begun.json.approve_url.replace(edge.site.origin, ''))
  for (const name of ['pg-1', 'git.internal:443', 'git.internal:22']) expect(page.text).toContain(name)
  const tap = await tapTicket(visitor, passkey, begun.json.ticket)
  expect((await program.token(exchangeForm(token, set, tap))).status).toBe(200)
  expect(edge.rows("select seq from audit where kind = 'session.grant' and outcome = 'done'")).toHaveLength(3)
})

test.each([
  ['another port', 'git.internal:80', 'session_refused'],
  ['another name', 'git.example.com:443', 'session_refused'],
  ['the domain itself', 'internal.:443', 'target_invalid'],
  ['upper case', 'GIT.internal:443', 'target_invalid'],
  ['a trailing dot', 'git.internal.:443', 'target_invalid'],
  ['no port', 'git.internal', 'target_invalid'],
  ['port 0', 'git.internal:0', 'target_invalid'],
  ['a number for an address', '2130706433:443', 'target_invalid'],
  ['hexadecimal', '0x7f.1:443', 'target_invalid'],
  ['other letters', 'bücher.internal:443', 'target_invalid'],
  ['percent', 'git%2einternal:443', 'target_invalid'],
  ['an address that no role names', '10.0.0.1:443', 'session_refused'],
])('refused before anybody is asked for a tap: %s', async (_, name, code) => {
  const { edge, ask, begin } = await newWorld()
  expect((await begin(ask(name))).status).toBeGreaterThanOrEqual(400)
  expect(lastRefusal(edge)).toBe(code)
})

test('a denial stands in the way at the edge', async () => {
  const { ask, begin } = await newWorld({ hosts: [{ name: 'git.internal', ports: [22] }] })
  expect((await begin(ask('git.internal:22'))).text).toContain('A role denies this.')
  expect((await begin(ask('git.internal:443'))).status).toBe(200)
})

test('why tells the rule and where the host may lie; /v1/hosts what the roles say', async () => {
  const { program, token } = await newWorld({ hosts: [{ name: '10.9.0.0/16' }] })
  const resource = { kind: 'host', name: 'git.internal:443' }
  const { json } = await program.call('POST', '/v1/why', token, { body: { resource } })
  expect(json).toMatchObject({
    outcome: 'allow',
    constraints: { tap: true, networks: { allowed: ['10.0.0.0/8'], denied: ['10.9.0.0/16'] } },
  })
  expect(json.rules).toContain('db-reader: allows by allow.hosts[0] (*.internal:443,22)')
  const listed = await program.call('GET', '/v1/hosts', token, {})
  expect(listed.json).toEqual({
    hosts: [{ name: '*.internal', ports: ['443', '22'], networks: ['10.0.0.0/8'], role: 'db-reader', tap: true }],
  })
})
