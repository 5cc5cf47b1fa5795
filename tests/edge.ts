/** The whole edge in this process, on a real SQLite database in memory; clock, log and platform are the test's. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultPreference, type Preference } from '../core/access/preference.ts'
import { deriveKeys } from '../core/keys.ts'
import { type Bytes, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { offerFirstAdministrator } from '../core/login/first-administrator.ts'
import type { PasswordHashing } from '../core/login/password-hash.ts'
import type { Asking, Duration, Instant, Site } from '../core/model.ts'
import { builtInClients, type Clients } from '../core/oauth/clients.ts'
import type { Preferences, PublicKeys } from '../core/ports.ts'
import { openDatabase, type SqliteStore } from '../storage/sqlite.ts'
import { makeApp } from '../worker/app.ts'
import type { Edge, LogLine } from '../worker/edge.ts'
import { memoryLimit } from '../worker/limits.ts'
import { makePorts } from '../worker/ports.ts'
import { type Authenticator, newAuthenticator } from './authenticator.ts'
import { login, registerFirst, Visitor } from './client.ts'
import { quickPasswords } from './passwords.ts'
import { approve, askOf, newProofKey, Program, parametersAt, type Tokens } from './program.ts'

const migrationsFolder = join(import.meta.dirname, '..', 'storage', 'migrations')

export const migrations = readdirSync(migrationsFolder)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => ({ name, sql: readFileSync(join(migrationsFolder, name), 'utf8') }))

export const terminal: Asking = { requestId: 'test', from: { address: 'local', place: '', browser: 'test' } }

interface Settings {
  readonly origin?: string
  /** When it begins. */
  readonly at?: Instant
  readonly rpId?: string
  readonly cluster?: string
  /** 32 bytes; the same for all edges unless a test wants another. */
  readonly key?: Bytes
  readonly failuresAMinute?: number
  readonly noiseAMinute?: number
  readonly publicKeys?: PublicKeys
  readonly store?: SqliteStore
  readonly clients?: Clients
  readonly preference?: Partial<Preference>
  readonly passwords?: PasswordHashing
}

/** As if a document said so; the batches find none, which is the revision that this one has. */
function preferring(said: Partial<Preference>): Preferences {
  const preference = async () => ({ ...defaultPreference, ...said })
  return { current: preference, newest: preference }
}

export async function newEdge(settings: Settings = {}) {
  const { origin = 'https://access.example.com', key = new Uint8Array(32).fill(7) } = settings
  const rpId = settings.rpId ?? new URL(origin).hostname
  const site: Site = { cluster: settings.cluster ?? 'test', origin, rpId, rpIdHash: await sha256(utf8(rpId)) }
  const store = settings.store ?? openDatabase(':memory:', migrations)
  const logged: LogLine[] = []
  let instant: Instant = settings.at ?? 1_800_000_000_000
  const now = () => instant
  const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))
  const passwords = settings.passwords ?? quickPasswords()
  const made = makePorts({ now, random, keys: await deriveKeys(key), store, passwords })
  const preferences = settings.preference ? preferring(settings.preference) : made.preferences
  const ports = { ...made, preferences, publicKeys: settings.publicKeys ?? made.publicKeys }
  const edge: Edge = {
    site,
    ports,
    clients: settings.clients ?? builtInClients,
    assets: { url: (name) => `/assets/${name}`, fetch: async () => undefined },
    attempts: memoryLimit(settings.failuresAMinute ?? 100_000, now),
    programs: memoryLimit(settings.failuresAMinute ?? 100_000, now),
    deviceCodes: memoryLimit(settings.failuresAMinute ?? 100_000, now),
    userCodes: memoryLimit(settings.failuresAMinute ?? 100_000, now),
    noise: memoryLimit(settings.noiseAMinute ?? 100_000, now),
    log: (line) => logged.push(line),
    lengthsHold: false,
    whereOf: (c) => ({ address: c.req.header('cf-connecting-ip') ?? 'unknown', place: '' }),
    ready: async () => undefined,
  }
  const app = makeApp(edge)
  const send = async (url: string, init: RequestInit) => app.request(url, init)
  return {
    app,
    site,
    ports,
    store,
    logged,
    send,
    advance: (duration: Duration) => {
      instant += duration
    },
    visitor: () => new Visitor(origin, send),
    /** A program with a key of its own, whose clock is the edge's. */
    program: async (alg?: 'ES256' | 'EdDSA') => new Program(await newProofKey(alg), new Visitor(origin, send), now),
    authenticator: (alg?: -7 | -8 | -257) => newAuthenticator({ origin, rpId, ...(alg && { alg }) }),
    /** A new link's secret. */
    offer: async () => (await offerFirstAdministrator(ports, terminal))?.secret ?? '',
    /** Rows of a table, as the database has them. */
    rows: (sql: string) => store.raw.prepare(sql).all() as Record<string, unknown>[],
  }
}

export type TestEdge = Awaited<ReturnType<typeof newEdge>>

/** An edge with its first administrator, signed in. */
export async function newAdministrator(settings: Settings = {}) {
  const edge = await newEdge(settings)
  const passkey = await edge.authenticator()
  const visitor = edge.visitor()
  const { status, text } = await registerFirst(visitor, await edge.offer(), passkey)
  if (status !== 200) throw new Error(`the first administrator was answered ${status}: ${text}`)
  return { edge, passkey, visitor }
}

/** Signs a passkey in with a browser of its own. */
export async function signIn(edge: TestEdge, passkey: Authenticator): Promise<Visitor> {
  const visitor = edge.visitor()
  const { status, text } = await login(visitor, passkey)
  if (status !== 200) throw new Error(`login was answered ${status}: ${text}`)
  return visitor
}

/** An approved program of the visitor, with its tokens. */
export async function newLogin(edge: TestEdge, visitor: Visitor, passkey: Authenticator, alg?: 'ES256' | 'EdDSA') {
  const program = await edge.program(alg)
  const asked = askOf(program.key)
  const approved = await approve(visitor, passkey, asked)
  const code = parametersAt(approved.json.location).get('code') ?? ''
  const { status, text, json } = await program.token(program.codeForm(code, asked))
  if (status !== 200) throw new Error(`the code was answered ${status}: ${text}`)
  return { program, asked, code, tokens: json as Tokens }
}

/** The code of the last refusal, as only the operator sees it. */
export const lastRefusal = (edge: TestEdge): unknown =>
  edge.rows("select code from audit where outcome = 'refused' order by seq desc limit 1")[0]?.['code']

/** How many sessions were ever opened. */
export const sessionsOf = (edge: TestEdge): number => Number(edge.rows('select count(*) as n from sessions')[0]?.['n'])
