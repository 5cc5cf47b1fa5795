/** The answer of the login benchmark, with all that is needed to judge it. */
import { cpus } from 'node:os'
import type { Figures, Round, Settings } from './contender.ts'
import { type Spread, spread } from './statistics.ts'

const durability = 'SQLite file, journal_mode=WAL, synchronous=FULL'
const differences = [
  'better-auth: rate limits, telemetry and logging off; indexed on credentialID; user verification not required.',
  'better-auth answers with session and user; its session is stored for 7 days. Sallyport writes an audit row and a request log.',
  'Sallyport: one user with a passkey per client; better-auth: one user per client.',
  'The load generator shares the cores with the server it measures.',
]

export function report(settings: Settings, rounds: readonly Round[]): unknown {
  const names = [...(rounds[0]?.figures.keys() ?? [])]
  return {
    benchmark: 'login',
    machine: { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model, platform: process.platform },
    settings: {
      concurrency: settings.concurrency,
      passkeys: settings.concurrency,
      warm_logins: settings.warmLogins,
      rounds: settings.rounds,
      seconds_a_round: settings.seconds,
      profiled: settings.cpuProf,
    },
    durability: Object.fromEntries(names.map((name) => [name, durability])),
    differences,
    openssl_p256_verifies_per_second: spread(
      rounds.map(({ verifies_per_second }) => verifies_per_second),
      0,
    ),
    ...Object.fromEntries(names.map((name) => [name, summary(name, rounds)])),
    ...(names.length === 2 ? { sallyport_against_better_auth: comparison(rounds) } : {}),
    rounds: rounds.map(({ verifies_per_second, figures }) => ({ verifies_per_second, ...Object.fromEntries(figures) })),
  }
}

function summary(name: string, rounds: readonly Round[]): Record<string, Spread> {
  const each = (value: (figures: Figures, verifies: number) => number, digits: number) =>
    spread(
      rounds.map((round) => value(figuresOf(name, round), round.verifies_per_second)),
      digits,
    )
  return {
    logins_per_second: each((figures) => figures.logins_per_second, 0),
    p50_ms: each((figures) => figures.p50_ms, 1),
    p99_ms: each((figures) => figures.p99_ms, 1),
    server_cpu_ms_per_login: each((figures) => figures.server_cpu_ms_per_login, 3),
    load_cpu_ms_per_login: each((figures) => figures.load_cpu_ms_per_login, 3),
    share_of_verify_bound: each((figures, verifies) => figures.logins_per_second / verifies, 3),
    share_of_cpu_that_one_verify_needs: each(
      (figures, verifies) => 1000 / verifies / figures.server_cpu_ms_per_login,
      3,
    ),
  }
}

/** Paired: each round's own ratio. Above 1 is better for logins, below 1 for the others. */
function comparison(rounds: readonly Round[]): Record<string, Spread> {
  const ratio = (value: (figures: Figures) => number) =>
    spread(rounds.map((round) => value(figuresOf('sallyport', round)) / value(figuresOf('better_auth', round))))
  return {
    logins_per_second: ratio((figures) => figures.logins_per_second),
    p50_ms: ratio((figures) => figures.p50_ms),
    p99_ms: ratio((figures) => figures.p99_ms),
    server_cpu_ms_per_login: ratio((figures) => figures.server_cpu_ms_per_login),
  }
}

function figuresOf(name: string, { figures }: Round): Figures {
  const found = figures.get(name)
  if (!found) throw new Error(`no figures of ${name}`)
  return found
}
