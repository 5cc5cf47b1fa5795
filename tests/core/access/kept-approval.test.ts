/** What is kept of a tap, checked by somebody who has the passkeys' public keys and trusts nobody's word. */
import { expect, test } from 'vitest'
import { revisionOf } from '../../../core/access/document.ts'
import { bodyHash } from '../../../core/access/subject.ts'
import type { AdminSubject, Intent, Json } from '../../../core/intent.ts'
import { seconds } from '../../../core/model.ts'
import { importPublicKey } from '../../../core/tap/public-key.ts'
import { type Tap, verifyTap } from '../../../core/tap/verify.ts'
import { call, callOnce, newAdmin, newPerson, type Person, putDocuments, recentIsEnough, userOf } from '../../people.ts'
import { readPolicy } from './reading.ts'

const roleOf = (name: string): Json => ({ kind: 'role', version: 'v7', metadata: { name }, spec: {} })

interface Row {
  readonly tap: string
  readonly request: string
  readonly revision: string
  readonly public_key: Uint8Array<ArrayBuffer>
}

const kept = ({ edge }: Person, name: string) =>
  edge.rows(`select tap, request, revision, public_key from documents
    inner join approvals on approvals.intent_id = documents.approved_by
    inner join credentials on credentials.id = json_extract(approvals.tap, '$.assertion.id')
    where documents.name = '${name}'`) as unknown as Row[]

test('a document’s tap is kept with it: signature, body and document fit together years later', async () => {
  const ada = await newAdmin()
  await putDocuments(ada, [roleOf('dev'), roleOf('ops')])
  for (const name of ['dev', 'ops']) {
    const [row] = kept(ada, name)
    if (!row) throw new Error('nothing is kept')
    const tap = JSON.parse(row.tap) as Tap
    const request = JSON.parse(row.request) as { documents: Json[] }
    const intent = tap.intent as Intent<'admin'>
    const publicKey = await importPublicKey(new Uint8Array(row.public_key))
    if (!publicKey) throw new Error('no key')
    const key = { kind: 'passkey', publicKey } as const
    const { user, holder, subject } = intent
    const now = seconds(intent.iat)
    await verifyTap(tap, key, { site: ada.edge.site, purpose: 'admin', user, holder, subject, now } as never)
    expect(subject.body_hash).toBe(bodyHash(request))
    expect(request.documents.map(readPolicy).map(revisionOf)).toContain(row.revision)
    // One letter else, and nothing of it holds.
    const other: AdminSubject = { ...subject, body_hash: bodyHash({ ...request, force: true }) }
    const altered = { ...tap, intent: { ...intent, subject: other } }
    const shown = { site: ada.edge.site, purpose: 'admin', user, holder, subject: other, now } as never
    await expect(verifyTap(altered, key, shown)).rejects.toMatchObject({ code: 'assertion_wrong' })
  }
  expect(ada.edge.rows('select intent_id from approvals')).toHaveLength(1)
})

test('the tap that wrote a user is kept with him, and is that of all that was written with him', async () => {
  const ada = await newAdmin()
  const dora = userOf('Dora', { roles: ['dev'], traits: { logins: ['dora'] } })
  expect((await putDocuments(ada, [dora, roleOf('dev')])).status).toBe(200)
  const written = () =>
    ada.edge.rows(`select request, tap, updated_by, (select name from users as writer where id = one.updated_by) as by
      from users as one inner join approvals on intent_id = approved_by where name = 'Dora'`)
  const [row] = written()
  expect(row).toMatchObject({ by: 'Ada' })
  expect(JSON.parse(String(row?.['request']))).toEqual({ documents: [dora, roleOf('dev')], force: false })
  const { intent } = JSON.parse(String(row?.['tap'])) as Tap
  expect((intent.subject as AdminSubject).summary).toBe('Create 2 documents: user/Dora, role/dev')
  expect((await putDocuments(ada, [userOf('Dora', { ...dora.spec, roles: ['dev', 'auditor'] })], true)).status).toBe(
    200,
  )
  const [next] = written()
  expect((JSON.parse(String(next?.['tap'])) as { intent: Intent<'admin'> }).intent.subject.summary).toBe(
    'Change the user Dora: gives the role auditor',
  )
})

test('what a recent login wrote has none', async () => {
  const ada = await newAdmin(recentIsEnough)
  expect((await callOnce(ada, 'POST', '/v1/documents', { documents: [roleOf('dev')] })).status).toBe(200)
  expect(ada.edge.rows('select approved_by from documents')).toEqual([{ approved_by: null }])
  expect((await callOnce(ada, 'POST', '/v1/documents', { documents: [userOf('Dora')] })).status).toBe(200)
  expect(ada.edge.rows("select updated_by, approved_by from users where name = 'Dora'")).toEqual([
    { updated_by: ada.edge.rows("select id from users where name = 'Ada'")[0]?.['id'], approved_by: null },
  ])
})

test('a passkey that was entrusted approves from then on, and names the tap that let it', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', ['editor'])
  const put = () => call(bob, 'POST', '/v1/documents', { documents: [roleOf('dev')] })
  expect(await put()).toMatchObject({ status: 403, json: { error: 'tap_impossible' } })
  const { passkeys } = (await call(ada, 'GET', '/v1/users/Bob/passkeys')).json
  expect(passkeys).toMatchObject([{ may_vouch: false }])
  const entrust = (path = '/v1/users/bob/passkeys/entrust') => call(ada, 'POST', path, { passkey: passkeys[0].name })
  expect((await entrust()).json).toEqual({ user: 'Bob', passkey: passkeys[0].name })
  expect((await put()).status).toBe(200)
  const [row] =
    ada.edge.rows(`select credentials.id as id, json_extract(tap, '$.intent.subject.revision') as fingerprint,
    fingerprint as own from credentials inner join approvals on intent_id = entrusted_by`)
  expect(row).toMatchObject({
    id: bob.passkey.credentialId,
    fingerprint: passkeys[0].fingerprint,
    own: passkeys[0].fingerprint,
  })
  expect(ada.edge.rows("select detail from audit where kind = 'passkey.entrust' and outcome = 'done'")).toHaveLength(1)
  expect(await entrust()).toMatchObject({ status: 409, json: { error: 'passkey_vouches' } })
  expect((await entrust('/v1/users/nobody/passkeys/entrust')).status).toBe(404)
})

test('nobody entrusts his own passkey without one that is entrusted', async () => {
  const ada = await newAdmin()
  const bob = await newPerson(ada, 'Bob', ['editor'])
  const { passkeys } = (await call(bob, 'GET', '/v1/users/Bob/passkeys')).json
  expect(await call(bob, 'POST', '/v1/users/Bob/passkeys/entrust', { passkey: passkeys[0].name })).toMatchObject({
    status: 403,
    json: { error: 'tap_impossible' },
  })
})
