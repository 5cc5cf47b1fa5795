/** Processes of the edge over one D1 and one KV, whose every call is counted. */
import { env } from 'cloudflare:workers'
import type { Preference } from '../../core/access/preference.ts'
import { deriveKeys } from '../../core/keys.ts'
import { utf8 } from '../../core/lib/bytes.ts'
import { sha256 } from '../../core/lib/hash.ts'
import { offerFirstAdministrator } from '../../core/login/first-administrator.ts'
import { builtInClients } from '../../core/oauth/clients.ts'
import { openD1 } from '../../storage/d1.ts'
import { makeApp } from '../../worker/app.ts'
import { memoryLimit } from '../../worker/limits.ts'
import { makePorts } from '../../worker/ports.ts'
import { newAuthenticator } from '../authenticator.ts'
import { login, registerFirst, Visitor } from '../client.ts'
import { approvalBody, askOf, newProofKey, Program, parametersAt, type Tokens } from '../program.ts'
import { asking } from './contract/world.ts'
import { countedD1, countedKv } from './counted.ts'

export const origin = 'https://access.example.com'
export const rpId = 'access.example.com'

let database: number[] = []
let kv: string[] = []
export const counted = {
  DB: countedD1(env.DB, (statements) => database.push(statements)),
  KV: countedKv(env.KV, (call) => kv.push(call)),
}

/** What `work` asked of the database and of KV. */
export async function trips(work: () => Promise<unknown>): Promise<{ database: number[]; kv: string[] }> {
  database = []
  kv = []
  await work()
  return { database, kv }
}

/** A process of its own over the shared D1, with KV or without. */
/** `preference`: as if a document said so; without it the database is asked. */
export async function newProcess(withKv = true, preference?: Preference) {
  const now = () => Date.now()
  const made = makePorts({
    now,
    random: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    keys: await deriveKeys(new Uint8Array(32).fill(7)),
    store: openD1(counted.DB),
    ...(withKv && { kv: counted.KV }),
  })
  const said = preference && (async () => preference)
  const ports = said ? { ...made, preferences: { current: said, newest: said } } : made
  const app = makeApp({
    site: { cluster: 'test', origin, rpId, rpIdHash: await sha256(utf8(rpId)) },
    ports,
    clients: builtInClients,
    assets: { url: (name) => `/assets/${name}`, fetch: async () => undefined },
    attempts: memoryLimit(100_000, now),
    programs: memoryLimit(100_000, now),
    deviceCodes: memoryLimit(100_000, now),
    userCodes: memoryLimit(100_000, now),
    noise: memoryLimit(100_000, now),
    log: () => undefined,
    lengthsHold: false,
    whereOf: () => ({ address: '192.0.2.1', place: '' }),
    ready: async () => undefined,
  })
  // As worker/index.ts does with its first request.
  await ports.preferences.newest()
  const send = async (url: string, init: RequestInit) => app.request(url, init)
  return { ports, visitor: () => new Visitor(origin, send) }
}

export type Process = Awaited<ReturnType<typeof newProcess>>

/** The first administrator of an empty database, signed in with a key that this process has seen. */
export async function newAdministrator(withKv = true, preference?: Preference) {
  const process = await newProcess(withKv, preference)
  const passkey = await newAuthenticator({ origin, rpId })
  const { secret = '' } = (await offerFirstAdministrator(process.ports, asking)) ?? {}
  await succeeds(registerFirst(process.visitor(), secret, passkey))
  const visitor = process.visitor()
  await succeeds(login(visitor, passkey))
  return { process, passkey, visitor }
}

export async function succeeds(reply: ReturnType<Visitor['get']>): Promise<void> {
  const { status, text } = await reply
  if (status !== 200) throw new Error(`answered ${status}: ${text}`)
}

type Administrator = Awaited<ReturnType<typeof newAdministrator>>

/** A code that was approved, and the program that may exchange it. It has its nonce: a first request asks for one. */
export async function withCode({ process, passkey, visitor }: Administrator) {
  const program = new Program(await newProofKey(), process.visitor())
  const asked = askOf(program.key)
  const body = await approvalBody(visitor, passkey, asked.parameters)
  const { json } = await visitor.post('/v1/authorize/finish', body)
  await program.needNonce()
  return { program, form: program.codeForm(parametersAt(json.location).get('code') ?? '', asked) }
}

export async function withTokens(administrator: Administrator) {
  const { program, form } = await withCode(administrator)
  const { status, text, json } = await program.token(form)
  if (status !== 200) throw new Error(`the code was answered ${status}: ${text}`)
  return { ...administrator, program, tokens: json as Tokens, token: (json as Tokens).access_token }
}
