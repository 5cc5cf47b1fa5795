import { command, formatOption } from '../command.ts'
import { currentName, profileNames, readProfile } from '../profiles.ts'
import { formatOf, printTable, show } from '../term.ts'
import { readable, timestamp } from '../times.ts'

export default command({
  doing: 'list the profiles',
  help: `Usage: sallyport config profiles [--format=text|json|yaml]

The profiles on this machine. The current one is used where no --profile is given.

Examples:
  sallyport config profiles
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const current = currentName()
    const profiles = profileNames().flatMap((name) => {
      const profile = readProfile(name)
      return profile ? [{ name, current: name === current, ...profile }] : []
    })
    const data = profiles.map(({ name, current, proxy, who }) => ({
      name,
      current,
      proxy,
      user: who.user,
      valid_until: timestamp(who.valid_until),
    }))
    await show(format, data, () =>
      printTable(
        ['CURRENT', 'NAME', 'PROXY', 'USER', 'VALID UNTIL'],
        profiles.map(({ name, current, proxy, who }) => [
          current ? '*' : '',
          name,
          proxy,
          who.user,
          readable(who.valid_until),
        ]),
      ),
    )
    return 'ok'
  },
})
