/** Whatever an administrator can write, he reads back as it is, and what he read changes nothing when he writes it again. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { printDocuments, readDocuments, showProblem } from '../../../cli/documents.ts'
import { type Document, parseDocument } from '../../../core/access/document.ts'
import { canonicalJson, type Json } from '../../../core/intent.ts'
import { textOf } from '../../../core/lib/bytes.ts'
import { nameKey, readName } from '../../../core/login/name.ts'
import { call, callOnce, newAdmin, type Person, recentIsEnough } from '../../people.ts'
import { roleOf } from './clusters.ts'
import { app, db, kubeCluster, lock, node, preference, windowsDesktop } from './samples.ts'

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => readName(text) === text)
const value = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    '*',
    '^.*$',
    '{{internal.logins}}',
    'null',
    '1e3',
    'yes',
    '0x1f',
    '2030-01-01',
    '~',
    '- a',
    'a: b',
    '#',
  ),
)
const trait = fc.oneof(
  fc.constantFrom('logins', 'db_users', 'constructor', '10', '9', 'https://idp.example/groups'),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,20}$/),
)

const isDocument = (json: Json): boolean => parseDocument(json).kind === 'value'

const users = fc
  .record({
    name,
    roles: fc.array(fc.constantFrom('access', 'auditor', 'r0', 'r1'), { maxLength: 6 }),
    traits: fc.dictionary(trait, fc.array(value, { maxLength: 4 }), { maxKeys: 4 }),
  })
  .map(
    ({ name: of, roles, traits }): Json => ({
      kind: 'user',
      version: 'v2',
      metadata: { name: of },
      spec: { roles, traits },
    }),
  )
  .filter(isDocument)

const roles = (of: string) =>
  roleOf(of)
    .map((role) => role as unknown as Json)
    .filter(isDocument)

/** All kinds in one file. Two users have no one name. */
const files = fc.tuple(roles('r0'), roles('r1'), fc.array(users, { maxLength: 5 })).map(([r0, r1, people]) => {
  const keyOf = (json: Json) => nameKey((json as { metadata: { name: string } }).metadata.name)
  const others = new Map(people.map((one) => [keyOf(one), one] as const).filter(([key]) => key !== 'ada'))
  return [r0, r1, ...others.values(), node, db, kubeCluster, app, windowsDesktop, lockOfAnother, withoutMakes]
})

/** Nobody locks himself out. */
const lockOfAnother: Json = { ...lock, spec: { ...lock.spec, target: { user: 'Bob' } } }

/** Whatever it says of authenticators: the one that taps here must still be taken. */
const withoutMakes: Json = {
  ...preference,
  spec: { type: 'local', second_factor: 'webauthn', default_session_ttl: '8h' },
}

function read(text: string): readonly Document[] {
  const found = readDocuments('f', text)
  if ('problems' in found) throw new Error(found.problems.map(showProblem).join('\n'))
  return found.documents.map(({ document }) => document)
}

test('what is printed reads as what was printed, as YAML and as JSON', () => {
  const property = fc.property(files, (file) => {
    const documents = read(JSON.stringify(file))
    for (const format of ['yaml', 'json'] as const) {
      const printed = printDocuments(documents, format)
      expect(read(printed)).toEqual(documents)
      expect(printDocuments(read(printed), format)).toBe(printed)
    }
  })
  fc.assert(property, { numRuns: 40 })
})

const listed = async (person: Person): Promise<Json[]> => {
  const { documents } = (await call(person, 'GET', '/v1/documents')).json
  return documents
    .filter(({ preset }: { preset: boolean }) => !preset)
    .map(({ document }: { document: Json }) => document)
}

test('through the edge: what get answers is what was written, and create --force of it leaves every byte', async () => {
  const ada = await newAdmin(recentIsEnough)
  const { raw } = ada.edge.store
  const put = (documents: readonly Json[]) => callOnce(ada, 'POST', '/v1/documents', { documents, force: true })
  const state = () =>
    ['users', 'user_roles', 'documents', 'policy'].map((table) =>
      raw.prepare(`select * from ${table} order by 1, 2`).all(),
    )
  const byText = (documents: readonly Json[]) => documents.map((one) => textOf(canonicalJson(one))).sort()
  for (const file of fc.sample(files, 30)) {
    raw.exec(
      "delete from documents; delete from user_roles where user_id not in (select id from users where name = 'Ada')",
    )
    raw.exec("update users set removed_at = 1 where name <> 'Ada'")
    expect((await put(file)).text).toContain('"created"')
    const answered = await listed(ada)
    const own = answered.filter((one) => (one as { metadata: { name: string } }).metadata.name === 'Ada')
    expect(byText(answered)).toEqual(byText([...read(JSON.stringify(file)), ...own] as unknown as Json[]))
    const before = state()
    const again = await put(read(printDocuments(answered as unknown as Document[], 'yaml')) as unknown as Json[])
    const outcomes = again.json.documents.map(({ outcome }: { outcome: string }) => outcome)
    expect(new Set(outcomes)).toEqual(new Set(['unchanged']))
    expect(state()).toEqual(before)
  }
})
