import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printFields, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'
import { certificatesIn, pinOf } from '../trust.ts'

export default command({
  doing: 'show the cluster',
  help: `Usage: sallyport admin status [--format=text|json|yaml]

The cluster, the pin of the CA that this profile trusts (for "sallyport login --ca-pin"),
the fingerprints of the root passkeys, and the keys that sign tokens.

Examples:
  sallyport admin status
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const session = await openSession(values.profile)
    const { cluster, issuer, roots, keys } = await call(session, operations.cluster, {})
    const { proxy, ca } = session.profile
    const pins = ca === undefined ? [] : certificatesIn(ca).map(pinOf)
    const data = {
      cluster,
      issuer,
      proxy,
      ca_pins: pins,
      roots: [...roots],
      keys: keys.map(({ since, ...key }) => ({ ...key, since: timestamp(since) })),
    }
    await show(format, data, () =>
      printFields([
        ['Cluster', cluster],
        ['Issuer', issuer],
        ['Proxy', proxy],
        ...(pins.length > 0 ? pins.map(field('CA pin')) : [['CA', 'a root of the system'] as const]),
        ...roots.map(({ user, name, fingerprint }) => ['Root passkey', `${fingerprint} (${user}, ${name})`] as const),
        ...keys.map(({ kid, state, since }) => ['Signing key', `${kid} (${state} since ${readable(since)})`] as const),
      ]),
    )
    return 'ok'
  },
})

const field = (label: string) => (value: string) => [label, value] as const
