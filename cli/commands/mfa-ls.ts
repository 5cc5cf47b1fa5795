import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, print, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list what you sign in with',
  help: `Usage: sallyport mfa ls [--format=text|json|yaml]

What you prove yourself with: passkeys, which sign you in alone; security keys, which do beside
your password; authenticator apps (totp), and how many recovery codes are left. SYNCED says
whether a passkey is copied between your devices. With --format=json also the ids
that locks name, and what was proven of the make when it was registered (attestation).

Examples:
  sallyport mfa ls
  sallyport mfa ls --format=json
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const { factors, recovery_codes } = await call(await openSession(values.profile), operations.ownFactors, {})
    const listed = factors.map(({ make, attestation, synced, created_at, last_used_at, ...factor }) => ({
      ...{ ...factor, make: make ?? null, synced: synced ?? null },
      attestation: attestation ? { ...attestation, ca: attestation.ca ? { ...attestation.ca } : null } : null,
      created_at: timestamp(created_at),
      last_used_at: last_used_at === undefined ? null : timestamp(last_used_at),
    }))
    await show(format, { factors: listed, recovery_codes }, () => {
      printTable(
        ['NAME', 'KIND', 'MAKE', 'SYNCED', 'CREATED', 'LAST USED', 'ID'],
        factors.map(({ name, kind, make, synced, created_at, last_used_at, id }) => [
          ...[name, kind, make ?? '-', synced === undefined ? '-' : synced ? 'yes' : 'no'],
          readable(created_at),
          last_used_at === undefined ? 'never' : readable(last_used_at),
          id,
        ]),
      )
      print(`Recovery codes left: ${recovery_codes}`)
    })
    return 'ok'
  },
})
