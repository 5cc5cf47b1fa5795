import type { AnswerOf } from '../../core/api/operation.ts'
import type { operations } from '../../core/api/operations.ts'
import { command, formatOption } from '../command.ts'
import { Problem } from '../problem.ts'
import { type Profile, replaceWho, requireProfile } from '../profiles.ts'
import { type Format, formatOf, printFields, show } from '../term.ts'
import { readable, readableUntil, timestamp } from '../times.ts'

export default command({
  doing: 'show the status',
  help: `Usage: sallyport status [--offline] [--format=text|json|yaml]

Who is signed in, where, and until when. The edge is asked, so it also shows that the
login still works.

Options:
  --offline  show what the profile says, and ask nobody

Examples:
  sallyport status
  sallyport status --format=json --profile=home
`,
  options: { offline: { type: 'boolean' }, ...formatOption },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const { name, profile } = requireProfile(values.profile)
    if (values.offline) {
      requireRunning(profile)
      await showStatus(format, name, profile)
      return 'ok'
    }
    const [{ call, sessionOf }, { operations }] = await Promise.all([
      import('../api.ts'),
      import('../../core/api/operations.ts'),
    ])
    const who = whoOf(await call(await sessionOf(name, profile), operations.me, {}))
    replaceWho(name, who)
    await showStatus(format, name, { ...profile, who })
    return 'ok'
  },
})

const now = () => Math.floor(Date.now() / 1000)

function requireRunning({ who }: Profile): void {
  if (who.valid_until > now()) return
  throw new Problem('signIn', `the login ended at ${readable(who.valid_until)}`, 'sallyport login')
}

export const whoOf = ({
  user,
  cluster,
  roles,
  via,
  auth_time,
  valid_until,
}: AnswerOf<typeof operations.me>): Profile['who'] => ({
  user: user.name,
  cluster,
  roles,
  via,
  auth_time,
  valid_until,
})

export async function showStatus(format: Format, name: string, { proxy, issuer, who }: Profile): Promise<void> {
  const { user, cluster, roles, via, auth_time, valid_until } = who
  const headless = via === 'device_flow'
  const times = { signed_in: timestamp(auth_time), valid_until: timestamp(valid_until) }
  await show(format, { profile: name, proxy, issuer, user, cluster, roles, headless, ...times }, () =>
    printFields([
      ['Profile', name],
      ['Proxy', proxy],
      ['User', user],
      ['Cluster', cluster],
      ['Roles', roles.join(', ')],
      ...(headless ? [['Login', 'headless: reaches resources and does nothing else'] as const] : []),
      ['Signed in', readable(auth_time)],
      ['Valid until', readableUntil(valid_until, now())],
    ]),
  )
}
