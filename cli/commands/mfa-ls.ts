import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list what you sign in with',
  help: `Usage: sallyport mfa ls [--format=text|json|yaml]

What you prove yourself with: passkeys and security keys. SYNCED says whether a passkey is
copied between your devices. With --format=json or yaml the ids stand there that locks name.

Examples:
  sallyport mfa ls
  sallyport mfa ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const { factors } = await call(await openSession(values.profile), operations.ownFactors, {})
    const data = factors.map(({ make, synced, created_at, last_used_at, ...factor }) => ({
      ...{ ...factor, make: make ?? null, synced: synced ?? null },
      created_at: timestamp(created_at),
      last_used_at: last_used_at === undefined ? null : timestamp(last_used_at),
    }))
    await show(format, data, () =>
      printTable(
        ['NAME', 'KIND', 'MAKE', 'SYNCED', 'CREATED', 'LAST USED'],
        factors.map(({ name, kind, make, synced, created_at, last_used_at }) => [
          ...[name, kind, make ?? '-', synced === undefined ? '-' : synced ? 'yes' : 'no'],
          readable(created_at),
          last_used_at === undefined ? 'never' : readable(last_used_at),
        ]),
      ),
    )
    return 'ok'
  },
})
