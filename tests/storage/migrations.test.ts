/** Migrations on files that hold something: what they keep, and that one which fails changes nothing. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readD1Migrations } from '@cloudflare/vitest-plugin'
import { afterAll, describe, expect, test } from 'vitest'
import { type Migration, openDatabase } from '../../storage/sqlite.ts'
import { newFolder, remove } from '../runtime/launch.ts'
import { migrations, migrationsFolder } from './migration-files.ts'

const folder = newFolder()
let files = 0
const newFile = () => join(folder, `${files++}.db`)
afterAll(() => remove(folder))

const apply = (file: string, steps: readonly Migration[]) => openDatabase(file, steps).close()

function read<T>(file: string, work: (raw: DatabaseSync) => T): T {
  const raw = new DatabaseSync(file)
  try {
    return work(raw)
  } finally {
    raw.close()
  }
}

const tablesOf = (raw: DatabaseSync): string[] =>
  raw
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name")
    .all()
    .map((row) => String(row['name']))

/** Schema and rows. */
const contentOf = (file: string) =>
  read(file, (raw) => ({
    schema: raw.prepare('select type, name, sql from sqlite_schema order by name').all(),
    rows: tablesOf(raw).map((table) => raw.prepare(`select * from ${table}`).all()),
  }))

const countsOf = (file: string) =>
  read(file, (raw) =>
    Object.fromEntries(tablesOf(raw).map((table) => [table, raw.prepare(`select count(*) as n from ${table}`).get()])),
  )

const values: Readonly<Record<string, string>> = { TEXT: "'x'", INTEGER: '1', BLOB: "x'01'" }

/** Empty for good, wrangler's own, and the one that has its row from its migration. */
const unfilled = ['guards', 'd1_migrations', 'policy']

/** One row in each table. Every key is 'x' or 1, so whatever refers to another row finds it. */
function fill(file: string): void {
  read(file, (raw) => {
    raw.exec('pragma foreign_keys = off')
    for (const table of tablesOf(raw).filter((name) => !unfilled.includes(name))) {
      const columns = raw.prepare(`pragma table_info(${table})`).all()
      const row = columns.map(({ type }) => values[String(type).toUpperCase()] ?? "'x'")
      raw.exec(`insert into ${table} values (${row.join(', ')})`)
    }
    expect(raw.prepare('pragma foreign_key_check').all()).toEqual([])
  })
}

/** What 0000 leaves of two people: a root, and somebody whom the root let in, each with a passkey. */
const people = `
  insert into users (id, name, name_key, created_at) values ('root', 'Ada Ł', 'ada ł', 1), ('other', 'Grace', 'grace', 2);
  insert into credentials select 'k' || id, id, 'Key', x'01', 'f' || id, 'rp', 0, '[]', 'a', 0, 0, 1, id = 'root', null, 1, null, null
    from users;
  insert into credentials values ('second', 'root', 'Second', x'01', 'fs', 'rp', 0, '[]', 'a', 0, 0, 1, 1, null, 1, null, 5);`

describe('0001_tokens.sql', () => {
  const migrated = () => {
    const file = newFile()
    apply(file, migrations.slice(0, 1))
    read(file, (raw) => raw.exec(people))
    apply(file, migrations)
    return file
  }

  test('gives the root all three preset roles, once, and nobody else any', () => {
    const roles = read(migrated(), (raw) => raw.prepare('select user_id, role from user_roles order by role').all())
    expect(roles).toEqual(['access', 'auditor', 'editor'].map((role) => ({ user_id: 'root', role })))
  })

  test('keeps people as they are, none removed, and their passkeys', () => {
    read(migrated(), (raw) => {
      expect(raw.prepare('select * from users order by id').all()).toEqual([
        {
          id: 'other',
          name: 'Grace',
          name_key: 'grace',
          traits: null,
          updated_by: null,
          approved_by: null,
          created_at: 2,
          removed_at: null,
        },
        {
          id: 'root',
          name: 'Ada Ł',
          name_key: 'ada ł',
          traits: null,
          updated_by: null,
          approved_by: null,
          created_at: 1,
          removed_at: null,
        },
      ])
      expect(raw.prepare('select count(*) as n from credentials').get()).toEqual({ n: 3 })
    })
  })

  test('keeps a name to one user as long as he is there, and frees that of one who was removed', () => {
    read(migrated(), (raw) => {
      const another = "insert into users (id, name, name_key, created_at) values ('third', 'GRACE', 'grace', 3)"
      expect(() => raw.exec(another)).toThrow(/UNIQUE/)
      raw.exec("update users set removed_at = 4 where id = 'other'")
      raw.exec(another)
      expect(() => raw.exec("update users set removed_at = null where id = 'other'")).toThrow(/UNIQUE/)
    })
  })
})

describe('0005_factors.sql', () => {
  const upTo = (name: string) => migrations.filter((one) => one.name.slice(0, 4) <= name)

  test('keeps sessions as they are, each of a passkey', () => {
    const file = newFile()
    apply(file, upTo('0004'))
    const sessions = `insert into sessions values ('s', x'01', 'root', 'kroot', 2, 3, null, 'a', 'p', 'b'), ('t', x'02', 'other', 'kother', 4, 5, 6, 'a', 'p', 'b')`
    read(file, (raw) => raw.exec(people + sessions))
    const before = read(file, (raw) => raw.prepare('select * from sessions order by id').all())
    apply(file, upTo('0005'))
    const after = read(file, (raw) => raw.prepare('select * from sessions order by id').all())
    expect(after).toEqual(before.map((row) => ({ ...row, via: 'passkey' })))
    expect(before).toHaveLength(2)
  })

  test('takes sessions that rest on no passkey, and none of a passkey that is not there', () => {
    const store = openDatabase(newFile(), upTo('0005'))
    const open = (id: string, credential: string) =>
      store.raw.exec(
        `insert into sessions values ('${id}', x'01', 'u', 'password+otp', ${credential}, 1, 2, null, 'a', 'p', 'b')`,
      )
    store.raw.exec("insert into users (id, name, name_key, created_at) values ('u', 'U', 'u', 1)")
    open('s', 'null')
    expect(() => open('t', "'none'")).toThrow(/FOREIGN KEY/)
    store.close()
  })
})

describe('0007_code_approvals.sql', () => {
  const upTo = (name: string) => migrations.filter((one) => one.name.slice(0, 4) <= name)
  const programs = `
    insert into codes values ('h', 'c', 'cli', 'uri', 'chal', 'jkt', 'api', 'n', 'root', 'kroot', 'i', 1, 2, null);
    insert into client_sessions (id, user_id, credential_id, client_id, jkt, scope, authenticated_at, generation, rotated_at,
      expires_at, ended_at, end_reason, ended_by, address, place, browser, via) values
      ('c2', 'other', 'kother', 'cli', 'jkt', 'api', 1, 7, 2, 3, 4, 'revoked', 'r', 'a', 'p', 'b', 'device_flow'),
      ('c1', 'root', 'kroot', 'cli', 'jkt', 'api', 1, 1, 2, 3, null, null, null, 'a', 'p', 'b', 'browser');`
  const rowsOf = (file: string, table: string) => read(file, (raw) => raw.prepare(`select * from ${table}`).all())

  test('keeps codes and logins of programs as they are, each of a passkey and of no app', () => {
    const file = newFile()
    apply(file, upTo('0000'))
    read(file, (raw) => raw.exec(people))
    apply(file, upTo('0006'))
    read(file, (raw) => raw.exec(programs))
    const before = ['codes', 'client_sessions'].map((table) => rowsOf(file, table))
    apply(file, upTo('0007'))
    const [codes, logins] = ['codes', 'client_sessions'].map((table) => rowsOf(file, table))
    expect(codes).toEqual(before[0]?.map((row) => ({ ...row, totp_id: null, password_id: null })))
    expect(logins).toEqual(before[1]?.map((row) => ({ ...row, totp_id: null })))
    expect([codes?.length, logins?.length]).toEqual([1, 2])
  })

  test('takes a login that no passkey approved, and none of a passkey that is not there', () => {
    const store = openDatabase(newFile(), upTo('0007'))
    const open = (id: string, credential: string) =>
      store.raw.exec(`insert into client_sessions (id, user_id, credential_id, totp_id, client_id, jkt, scope, authenticated_at,
        generation, rotated_at, expires_at, address, place, browser)
        values ('${id}', 'u', ${credential}, 't', 'cli', 'jkt', 'api', 1, 1, 1, 2, 'a', 'p', 'b')`)
    store.raw.exec("insert into users (id, name, name_key, created_at) values ('u', 'U', 'u', 1)")
    open('s', 'null')
    expect(() => open('t', "'none'")).toThrow(/FOREIGN KEY/)
    store.close()
  })
})

describe('0010_lock_key.sql', () => {
  test('keeps each lock on what it named, by its key, and counts one more change for proxies', () => {
    const file = newFile()
    apply(file, migrations.slice(0, 10))
    const row = (name: string, target: object, user: string) =>
      `insert into documents (kind, name, document, revision, locked_user, updated_at, updated_by)
        values ('lock', '${name}', '${JSON.stringify({ spec: { target } })}', 'r', ${user}, 1, 'root')`
    read(file, (raw) => {
      raw.exec(row('a', { user: 'Åda' }, "'åda'"))
      raw.exec(row('b', { role: 'dev' }, 'null'))
      raw.exec(
        `insert into documents (kind, name, document, revision, updated_at, updated_by) values ('db', 'c', '{}', 'r', 1, 'root')`,
      )
    })
    const sequence = () => read(file, (raw) => Number(raw.prepare('select sequence from policy').get()?.['sequence']))
    const before = sequence()
    apply(file, migrations)
    expect(read(file, (raw) => raw.prepare('select lock_key as of from documents order by name').all())).toEqual([
      { of: 'user:åda' },
      { of: 'role:dev' },
      { of: null },
    ])
    expect(sequence()).toBeGreaterThan(before)
    read(file, (raw) => raw.exec('delete from documents'))
    expect(sequence()).toBeGreaterThan(before + 2)
  })
})

const bad: Migration = { name: '9999_bad.sql', sql: 'create table one (id text); insert into none values (1);' }
const orphaning: Migration = { name: '9999_orphans.sql', sql: 'delete from users;' }

describe('each migration', () => {
  test.each(migrations.map(({ name }, step) => ({ name, step })))(
    '$name applies to a filled database of the step before',
    ({ step }) => {
      const file = newFile()
      if (step > 0) {
        apply(file, migrations.slice(0, step))
        fill(file)
      }
      const before = step > 0 ? countsOf(file) : {}
      apply(file, migrations.slice(0, step + 1))
      const { d1_migrations: _before, ...kept } = before
      expect(countsOf(file)).toMatchObject(kept)
      expect(read(file, (raw) => raw.prepare('pragma integrity_check').get())).toEqual({ integrity_check: 'ok' })
    },
  )

  test('applied again does nothing', () => {
    const file = newFile()
    apply(file, migrations)
    fill(file)
    const before = contentOf(file)
    apply(file, migrations)
    expect(contentOf(file)).toEqual(before)
  })

  test('is recorded under the name that wrangler gives it, in order', async () => {
    const file = newFile()
    apply(file, migrations)
    const wranglers = await readD1Migrations(migrationsFolder)
    const recorded = read(file, (raw) => raw.prepare('select name from d1_migrations order by id').all())
    expect(recorded).toEqual(wranglers.map(({ name }) => ({ name })))
  })
})

describe('a migration that fails', () => {
  test('leaves a filled file as it was, and the mended one applies later', () => {
    const file = newFile()
    apply(file, migrations)
    fill(file)
    const before = contentOf(file)
    for (const wrong of [bad, orphaning]) {
      expect(() => apply(file, [...migrations, wrong])).toThrow()
      expect(contentOf(file)).toEqual(before)
    }
    apply(file, [...migrations, { ...bad, sql: 'create table one (id text);' }])
    expect(countsOf(file)).toMatchObject({ one: { n: 0 }, users: { n: 1 } })
  })

  test('takes those before it in the same start back too: a new file stays empty', () => {
    const file = newFile()
    expect(() => apply(file, [...migrations, bad])).toThrow()
    expect(contentOf(file)).toEqual({ schema: [], rows: [] })
    apply(file, migrations)
  })
})

/** As drizzle-kit writes it when a column changes. */
const rebuild = (table: string, definition: string): Migration => ({
  name: '9999_rebuild.sql',
  sql: `PRAGMA foreign_keys=OFF;--> statement-breakpoint
${definition.replace(new RegExp(`[\`"]${table}[\`"]`), `\`__new_${table}\``)};
--> statement-breakpoint
INSERT INTO \`__new_${table}\` SELECT * FROM \`${table}\`;--> statement-breakpoint
DROP TABLE \`${table}\`;--> statement-breakpoint
ALTER TABLE \`__new_${table}\` RENAME TO \`${table}\`;--> statement-breakpoint
PRAGMA foreign_keys=ON;`,
})

test.each(['users', 'credentials', 'sessions'])(
  'a rebuild of %s, as drizzle-kit writes it, loses no row and no reference',
  (table) => {
    const file = newFile()
    apply(file, migrations)
    fill(file)
    const [before, counts] = [contentOf(file), countsOf(file)]
    const definition = before.schema.find(({ type, name }) => type === 'table' && name === table)?.['sql']
    apply(file, [...migrations, rebuild(table, String(definition))])
    const { d1_migrations: _count, ...kept } = counts
    expect(countsOf(file)).toMatchObject(kept)
    const store = openDatabase(file, [...migrations, rebuild(table, '')])
    const broken = () =>
      store.raw.exec(
        "insert into sessions select 'y', secret_hash, 'nobody', via, credential_id, opened_at, expires_at, last_seen_at, ended_at, address, place, browser, totp_id from sessions",
      )
    expect(broken).toThrow(/FOREIGN KEY/)
    store.close()
  },
)
