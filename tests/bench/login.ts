/**
 * Full passkey logins a second on Node and a SQLite file, Sallyport against better-auth.
 */
import { betterAuth } from './better-auth.ts'
import type { Client, Discipline } from './contender.ts'
import { readOptions, type Settings } from './options.ts'
import { durabilityOf, durable, machine, section, sharedCores } from './report.ts'
import { compete } from './rounds.ts'
import { sallyport } from './sallyport-login.ts'

const defaults = { concurrency: 32, warm: 5000, rounds: 7, seconds: 3 }
const differences = [
  'better-auth: rate limits, telemetry and logging off; indexed on credentialID; user verification not required.',
  'better-auth answers with session and user; its session is stored for 7 days. Sallyport writes an audit row and a request log.',
  'Sallyport: one user with a passkey per client; better-auth: one user per client.',
  sharedCores,
]

export async function login(args: readonly string[]): Promise<unknown> {
  const { settings, contenders } = readOptions(args, defaults, [sallyport, betterAuth])
  const [logins] = await compete(contenders, [disciplineOf(settings)], settings)
  return {
    benchmark: 'login',
    machine: machine(),
    settings: {
      concurrency: settings.concurrency,
      passkeys: settings.concurrency,
      warm_logins: settings.warm,
      rounds: settings.rounds,
      seconds_a_round: settings.seconds,
      profiled: settings.cpuProf,
    },
    durability: durabilityOf(contenders, { sallyport: durable, better_auth: durable }),
    differences,
    ...(logins && section(logins, [['sallyport', 'better_auth']])),
  }
}

/** There are as many clients, each with its own passkey, as logins at a time. */
const disciplineOf = ({ warm, seconds }: Settings<keyof typeof defaults>): Discipline<readonly Client[]> => ({
  unit: { one: 'login', many: 'logins' },
  warmUp: async ({ enrolled }) => ({ clients: enrolled, enough: (begun) => begun >= warm }),
  stretch: async ({ enrolled }) => ({ clients: enrolled, enough: (_, elapsed) => elapsed >= seconds * 1000 }),
})
