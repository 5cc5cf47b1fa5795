/** Acting as another user: at the edge and again at the proxy, for one session and with a tap, and the audit log names both. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Document } from '../../../core/access/document.ts'
import { parseResourceUri, resourceUri } from '../../../core/access/resource-uri.ts'
import type { RoleDocument } from '../../../core/access/role.ts'
import type { Intent } from '../../../core/intent.ts'
import { issueGrant, readGrant } from '../../../core/issue/grant.ts'
import { intentIn } from '../../client.ts'
import { lockOn, newPerson, type Person } from '../../people.ts'
import { askFor, beginSession, exchangeForm, putDocuments, readerRole, setOf, tapTicket } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { eventsOf, grantFor, nameOf, newWorld, Tunnel, type World } from './world.ts'

/** Lea reaches pg-1 without a tap of her own; Otto reaches nothing, and may act as her. */
const mayActAsLea = (more: Partial<RoleDocument['spec']> = {}): Document => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: 'operator' },
  spec: {
    options: {},
    allow: { impersonate: { users: ['Lea'], roles: ['access', 'db-reader'] } },
    deny: {},
    ...more,
  },
})

const locked = (user: string) => lockOn({ user }) as Document

let world: World
let otto: Person

beforeEach(async () => {
  world = await newWorld({ tap: false })
  await putDocuments(world.admin, mayActAsLea())
  otto = await newPerson(world.admin, 'Otto', ['access', 'operator'])
  await world.proxy.serving.trust.ask()
})

const asLea = ({ proxy }: World = world) => ({ ...askFor(nameOf(proxy)), impersonate: 'Lea' })
const subjectIn = (ticket: string) => (intentIn(ticket) as unknown as Intent<'session'>).subject

async function connect(grant: string, who = otto) {
  const tunnel = await Tunnel.open(world.proxy)
  return { tunnel, ...(await tunnel.connect(grant, who)) }
}

test('it opens what the other reaches, always with a tap, and both are named wherever it is written', async () => {
  const begun = await beginSession(otto.program, otto.token, asLea())
  expect(begun.json.tap).toBe(true)
  const lea = world.edge.rows("select id from users where name = 'Lea'")[0]?.['id']
  expect(subjectIn(begun.json.ticket).impersonated).toEqual({ user: lea, name: 'Lea' })
  const { status, tunnel } = await connect(await grantFor(world, otto, { ...asLea(), impersonate: 'LEA' }))
  expect(status).toBe(200)
  tunnel.start()
  await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
  tunnel.socket.destroy()
  await until(() => eventsOf(world.edge).length === 2)
  const [granted] = world.edge.rows(
    "select users.name, detail from audit join users on users.id = user_id where kind = 'session.grant'",
  )
  expect(granted?.['name']).toBe('Otto')
  expect(JSON.parse(String(granted?.['detail']))).toMatchObject({ impersonated: 'Lea' })
  expect(JSON.parse(String(granted?.['detail'])).rules).toContain('operator: allow.impersonate allows Lea')
  const told = eventsOf(world.edge).map(({ detail }) => String(detail))
  expect(told[0]).toContain('\\"impersonated\\":\\"Lea\\"')
})

test('his own rights are not hers, and hers are shown to him where he may act as her', async () => {
  const listed = async (query: string) => {
    const { status, json } = await otto.program.call('GET', `/v1/resources${query}`, otto.token)
    return status === 200
      ? json.resources.map(({ name, tap }: { name: string; tap: boolean }) => [name, tap])
      : json.error
  }
  expect(await listed('')).toEqual([])
  expect(await listed('?impersonate=Lea')).toEqual([
    ['pg-1', true],
    ['pg-2', true],
  ])
  expect(await listed('?impersonate=Ada+Lovelace')).toBe('access_denied')
  const [row] = world.edge.rows(
    "select kind, code, detail from audit where outcome = 'refused' order by seq desc limit 1",
  )
  expect(row).toMatchObject({ kind: 'request', code: 'session_refused' })
  expect(JSON.parse(String(row?.['detail']))).toMatchObject({ why: 'impersonation', of: 'Ada Lovelace' })
  const { impersonate: _, ...own } = asLea()
  expect((await beginSession(otto.program, otto.token, own)).json.error).toBe('resource_unknown')
})

test('whether there is such a user is not told', async () => {
  const asked = async (impersonate: string) => {
    const { status, json } = await beginSession(otto.program, otto.token, { ...asLea(), impersonate })
    return [status, json.error, String(json.message).replace(impersonate, 'X')]
  }
  expect(await asked('Nobody Here')).toEqual(await asked('Ada Lovelace'))
  expect(await asked('Nobody Here')).toEqual([403, 'access_denied', expect.stringContaining('lets you act as X')])
})

describe('refused at the edge', () => {
  test('without a tap', async () => {
    const { status, json } = await otto.program.token(exchangeForm(otto.token, asLea()))
    expect([status, json.error]).toEqual([403, 'tap_required'])
  })

  test('with a tap for a session of one’s own, and the other way round', async () => {
    await putDocuments(world.admin, readerRole('own-reader', true))
    const both = await newPerson(world.admin, 'Both', ['own-reader', 'operator'])
    const own = askFor(nameOf(world.proxy))
    for (const [tapped, wanted] of [
      [own, asLea()],
      [asLea(), own],
    ] as const) {
      const { json } = await beginSession(both.program, both.token, tapped)
      const tap = await tapTicket(both.visitor, both.passkey, json.ticket)
      const { status } = await both.program.token(exchangeForm(both.token, wanted, tap))
      expect(status).not.toBe(200)
      expect((await both.program.token(exchangeForm(both.token, tapped, tap))).status).toBe(200)
    }
  })

  test('with a tap of the other: it is hers and not his', async () => {
    const { json } = await beginSession(otto.program, otto.token, asLea())
    const { status } = await world.lea.visitor.post('/v1/taps/options', { ticket: json.ticket })
    expect(status).not.toBe(200)
  })

  test('as a third one through her: she lends no right to act as others', async () => {
    const lender = mayActAsLea({ allow: { impersonate: { users: ['Ada Lovelace'], roles: ['*'] } } }) as RoleDocument
    const reader = readerRole('db-reader', false) as RoleDocument
    const allow = { ...reader.spec.allow, ...lender.spec.allow }
    await putDocuments(world.admin, { ...reader, spec: { ...reader.spec, allow } })
    const asked = await beginSession(otto.program, otto.token, { ...asLea(), impersonate: 'Ada Lovelace' })
    expect(asked.json.error).toBe('access_denied')
  })

  test('once she holds a role that nobody named', async () => {
    world.edge.store.raw.exec("insert into user_roles select id, 'auditor' from users where name = 'Lea'")
    expect((await beginSession(otto.program, otto.token, asLea())).json.error).toBe('access_denied')
  })

  test('and it administers nothing: only sessions know of it', async () => {
    const { status } = await otto.program.call('GET', '/v1/users?impersonate=Ada+Lovelace', otto.token)
    expect(status).toBe(403)
  })
})

describe('refused at the proxy, whatever the edge has signed', () => {
  test.each<[string, () => Document]>([
    ['the right to act as her was taken back', () => mayActAsLea({ allow: {} })],
    ['a denial has come', () => mayActAsLea({ deny: { impersonate: { users: ['Lea'] } } })],
    [
      'her own right was taken back',
      () => ({ ...(readerRole('db-reader', false) as RoleDocument), spec: { options: {}, allow: {}, deny: {} } }),
    ],
    ['she is locked', () => locked('Lea')],
    ['he is locked', () => locked('Otto')],
  ])('%s', async (_, change) => {
    const grant = await grantFor(world, otto, asLea())
    await putDocuments(world.admin, change())
    await world.proxy.serving.trust.ask()
    expect((await connect(grant)).status).toBe(403)
    expect(world.database.connections).toEqual([])
  })

  test('a grant that a stolen key of the edge signed: for somebody who may not, of somebody who did not tap, under another name', async () => {
    const idOf = (name: string) => String(world.edge.rows(`select id from users where name = '${name}'`)[0]?.['id'])
    const [lea, ada] = [idOf('Lea'), idOf('Ada Lovelace')]
    const forgeries: [change: Forgery, code: string][] = [
      [{ tap: undefined }, 'tap_wanted'],
      [{ tap: undefined, impersonated: { user: ada, name: 'Ada Lovelace' } }, 'session_refused'],
      [{ impersonated: { user: ada, name: 'Ada Lovelace' } }, 'session_refused'],
      [{ impersonated: { user: ada, name: 'Lea' } }, 'session_refused'],
      [{ impersonated: { user: lea, name: 'Somebody Else' } }, 'session_refused'],
      [{ impersonated: undefined }, 'session_refused'],
    ]
    for (const [change, code] of forgeries) {
      const { status } = await connect(await forged(await grantFor(world, otto, asLea()), change))
      expect(status, JSON.stringify(change)).toBe(403)
      await until(() => eventsOf(world.edge).at(-1)?.['code'] === code)
    }
    expect((await connect(await forged(await grantFor(world, otto, asLea()), {}))).status).toBe(200)
  })

  test('a tap for the rights of one, in a grant for those of another whom one may act as too', async () => {
    const max = await newPerson(world.admin, 'Max', ['access', 'db-reader'])
    const both = mayActAsLea({ allow: { impersonate: { users: ['Lea', 'Max'], roles: ['*'] } } })
    await putDocuments(world.admin, both)
    await world.proxy.serving.trust.ask()
    const user = String(max.edge.rows("select id from users where name = 'Max'")[0]?.['id'])
    const change = { impersonated: { user, name: 'Max' } }
    const { status } = await connect(await forged(await grantFor(world, otto, asLea()), change))
    expect(status).toBe(403)
    await until(() => eventsOf(world.edge).at(-1)?.['code'] === 'wrong_subject')
  })
})

test('a set is opened with her rights by one tap, and each of it is written with her name', async () => {
  const set = { ...setOf(nameOf(world.proxy), { 'pg-1': 1, 'pg-2': 1 }), impersonate: 'lea' }
  const begun = await beginSession(otto.program, otto.token, set)
  expect(subjectIn(begun.json.ticket).impersonated).toMatchObject({ name: 'Lea' })
  const grant = await grantFor(world, otto, set)
  for (const name of ['pg-1', 'pg-2']) {
    const tunnel = await Tunnel.open(world.proxy)
    expect((await tunnel.connect(grant, otto, { name })).status).toBe(200)
  }
  const granted = world.edge.rows("select detail from audit where kind = 'session.grant' and outcome = 'done'")
  expect(granted.map(({ detail }) => JSON.parse(String(detail)).impersonated)).toEqual(['Lea', 'Lea'])
  const others = { ...set, impersonate: 'Ada Lovelace' }
  expect((await beginSession(otto.program, otto.token, others)).json.error).toBe('access_denied')
})

test('a set that was tapped with her rights is none without the right to act as her', async () => {
  const set = { ...setOf(nameOf(world.proxy), { 'pg-1': 1, 'pg-2': 1 }), impersonate: 'Lea' }
  const { json } = await beginSession(otto.program, otto.token, set)
  const tap = await tapTicket(otto.visitor, otto.passkey, json.ticket)
  await putDocuments(world.admin, mayActAsLea({ allow: {} }))
  expect((await otto.program.token(exchangeForm(otto.token, set, tap))).status).toBe(403)
})

test('an open session is cut when the right to act as her is taken back', async () => {
  const { tunnel } = await connect(await grantFor(world, otto, asLea()))
  tunnel.start()
  await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
  await putDocuments(world.admin, mayActAsLea({ allow: {} }))
  await tunnel.closed
})

test('the name survives the form in which a program asks', () => {
  const ask = { ...asLea(), impersonate: 'Zoë & Co=1' }
  expect(parseResourceUri(resourceUri(ask))).toEqual(ask)
  expect(() => parseResourceUri(`${resourceUri(ask)}&impersonate=Ada`)).toThrow('target_invalid')
})

interface Forgery {
  readonly impersonated?: unknown
  readonly tap?: undefined
}

/** The same grant with something else in it, signed by the edge's own key. */
async function forged(jwt: string, change: Forgery): Promise<string> {
  const { edge, proxy } = world
  const now = edge.ports.now()
  const signing = await edge.ports.keyring.current()
  const key = await edge.ports.keyring.verifier(signing.kid)
  const keys = new Map(key ? [[signing.kid, key]] : [])
  const grant = await readGrant({ issuer: edge.site.origin, keys, proxy: nameOf(proxy), now }, jwt)
  const subject = 'impersonated' in change ? { ...grant.subject, impersonated: change.impersonated } : grant.subject
  const other = { ...grant, subject, ...('tap' in change && { tap: undefined }) } as typeof grant
  return issueGrant(edge.site.origin, signing, other, now)
}
