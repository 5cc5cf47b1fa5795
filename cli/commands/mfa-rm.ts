import { factorWords } from '../../core/api/factor-kinds.ts'
import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { askForTap } from '../tap.ts'
import { say } from '../term.ts'

export default command({
  doing: 'remove it',
  help: `Usage: sallyport mfa rm NAME [--no-browser]

Removes a passkey or a security key of yours. You approve it with a tap of another one in the
browser; the last passkey goes only where a password and a security key sign you in too. Sessions that it opened end. "sallyport mfa ls" shows the names.

Options:
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport mfa rm "Old phone"
`,
  options: browserOption,
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const session = await openSession(values.profile)
    const { factors } = await call(session, operations.ownFactors, {})
    // Of a name that is not there the edge says what to do.
    const kind = factors.find((one) => one.name === name)?.kind ?? 'passkey'
    const body = { kind, name }
    const toDo = `approve that the ${factorWords[kind]} "${name}" is removed, with another one`
    const tap = await askForTap(session, { operation: 'factorRemove', body, toDo, opensBrowser: !values['no-browser'] })
    await call(session, operations.factorRemove, { body, tap })
    say(`The ${factorWords[kind]} "${name}" is removed.`)
    return 'ok'
  },
})
