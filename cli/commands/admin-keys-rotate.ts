import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { formatOf, printFields, show } from '../term.ts'

export default command({
  doing: 'rotate the signing keys',
  help: `Usage: sallyport admin keys rotate [--format=text|json|yaml]

The next key signs from now on, and a new next one is made. Nobody is logged out. Wants a
login that is at most five minutes old.

Examples:
  sallyport admin keys rotate
`,
  options: formatOption,
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const keys = await call(await openSession(values.profile), operations.keysRotate, { body: {} })
    await show(format, keys, () =>
      printFields([
        ['Signs now', keys.current],
        ['Next', keys.next],
      ]),
    )
    return 'ok'
  },
})
