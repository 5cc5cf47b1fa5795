import { operations } from '../../core/api/operations.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { callApproved } from '../tap.ts'
import { formatOf, printFields, show } from '../term.ts'

export default command({
  doing: 'rotate the signing keys',
  help: `Usage: sallyport admin keys rotate [--no-browser] [--format=text|json|yaml]

The next key signs from now on, and a new next one is made. Nobody is logged out. You approve
it with a tap in the browser; where the cluster asks for none, your login must be at most five
minutes old.

Options:
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport admin keys rotate
`,
  options: { ...browserOption, ...formatOption },
  takes: [0, 0],
  run: async (values) => {
    const format = formatOf(values.format)
    const keys = await callApproved(
      await openSession(values.profile),
      operations.keysRotate,
      { body: {} },
      {
        toDo: 'approve that the signing keys are rotated',
        opensBrowser: !values['no-browser'],
      },
    )
    await show(format, keys, () =>
      printFields([
        ['Signs now', keys.current],
        ['Next', keys.next],
      ]),
    )
    return 'ok'
  },
})
