/**
 * Codes, refresh tokens and taps for sessions exchanged a second at the token endpoint, Sallyport with its database on the disk and in memory
 * against oidc-provider with a Map: both for DPoP-bound EdDSA access tokens, with proofs that need a nonce and are spent.
 */
import type { Discipline } from './contender.ts'
import type { Grants } from './grants.ts'
import { oidcProvider } from './oidc-provider.ts'
import { readOptions, type Settings } from './options.ts'
import { durabilityOf, durable, machine, section, sharedCores } from './report.ts'
import { compete } from './rounds.ts'
import { inMemory, onDisk } from './sallyport-token.ts'
import { type Exchanges, grantContenders } from './session-grants.ts'

/** Codes live for a minute: all of a round are minted in far less, or its first ones would be refused, which ends the run. */
const defaults = { concurrency: 16, warm: 4000, rounds: 7, requests: 4000 }
const durability = {
  sallyport_file: durable,
  sallyport_memory: `${durable}, on a memory file system`,
  oidc_provider: 'a Map in its process: none',
}

export async function token(args: readonly string[]): Promise<unknown> {
  const { settings, contenders } = readOptions(args, defaults, [onDisk, inMemory, oidcProvider])
  const present = contenders.filter(({ missing }) => missing?.() === undefined)
  const [codes, refreshes] = await compete(present, disciplinesOf(settings), settings)
  const granting = grantContenders.filter(({ name }) => present.some((one) => one.name === name))
  const [sessions] = await compete(granting, [grantsFor(settings)], settings)
  const pairs = [onDisk, inMemory].map(({ name }) => [name, oidcProvider.name] as const)
  return {
    benchmark: 'token',
    machine: machine(),
    settings: {
      concurrency: settings.concurrency,
      warm_requests_a_grant: settings.warm,
      rounds: settings.rounds,
      requests_a_round: settings.requests,
      profiled: settings.cpuProf,
    },
    durability: durabilityOf(present, durability),
    skipped: Object.fromEntries(contenders.flatMap(({ name, missing }) => (missing?.() ? [[name, missing()]] : []))),
    differences,
    authorization_code: codes && section(codes, pairs),
    refresh_token: refreshes && section(refreshes, pairs),
    session_grant: sessions && section(sessions, pairs),
  }
}

function disciplinesOf({ warm, requests }: Settings<keyof typeof defaults>): Discipline<Grants>[] {
  const codes = async (grants: Grants, count: number) => ({
    clients: await grants.codes(count),
    enough: (begun: number) => begun >= count,
  })
  const refreshes = async (grants: Grants, count: number) => ({
    clients: await grants.refreshes(),
    enough: (begun: number) => begun >= count,
  })
  return [
    {
      unit: { one: 'code', many: 'codes' },
      warmUp: ({ enrolled }) => codes(enrolled, warm),
      stretch: ({ enrolled }) => codes(enrolled, requests),
    },
    {
      unit: { one: 'refresh', many: 'refreshes' },
      warmUp: ({ enrolled }) => refreshes(enrolled, warm),
      stretch: ({ enrolled }) => refreshes(enrolled, requests),
    },
  ]
}

/** Taps live for five minutes: those of a round are given right before it. */
function grantsFor({ warm, requests }: Settings<keyof typeof defaults>): Discipline<Exchanges> {
  const exchanges = async (enrolled: Exchanges, count: number) => ({
    clients: await enrolled.exchanges(count),
    enough: (begun: number) => begun >= count,
  })
  return {
    unit: { one: 'grant', many: 'grants' },
    warmUp: ({ enrolled }) => exchanges(enrolled, warm),
    stretch: ({ enrolled }) => exchanges(enrolled, requests),
  }
}

const differences = [
  sharedCores,
  'session_grant: Sallyport checks a tap, decides by roles, and keeps the evidence; oidc_provider has no such grant and exchanges an authorization code.',
]
