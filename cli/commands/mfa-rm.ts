import { factorWords } from '../../core/api/factor-kinds.ts'
import type { AnswerOf } from '../../core/api/operation.ts'
import { operations } from '../../core/api/operations.ts'
import { call, openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { Problem } from '../problem.ts'
import { callApproved } from '../tap.ts'
import { say } from '../term.ts'

export default command({
  doing: 'remove it',
  help: `Usage: sallyport mfa rm NAME|ID [--no-browser]

Removes a passkey, a security key or an authenticator app of yours. You approve it with a tap in
the browser, of a key with another one: so you can still sign in. The last passkey goes only
where a password and a security key sign you in too. Sessions that it opened end. "sallyport
mfa ls" shows names and ids; where a passkey and an app have one name, give the id.

An ID that begins with a dash is written after two: -- -ID

Options:
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport mfa rm "Old phone"
  sallyport mfa rm vG0nq3mJc1yq7c0Z0b5cIw
`,
  options: browserOption,
  takes: [1, 1],
  run: async (values, [given = '']) => {
    const session = await openSession(values.profile)
    const { factors } = await call(session, operations.ownFactors, {})
    const { kind, name } = requireOne(factors, given)
    const body = { kind, name } as const
    const toDo = `approve that the ${factorWords[kind]} "${name}" is removed${kind === 'totp' ? '' : ', with another one'}`
    await callApproved(session, operations.factorRemove, { body }, { toDo, opensBrowser: !values['no-browser'] })
    say(`The ${factorWords[kind]} "${name}" is removed.`)
    return 'ok'
  },
})

type Factors = AnswerOf<typeof operations.ownFactors>['factors']

/** @throws Problem failed */
function requireOne(factors: Factors, given: string): Factors[number] {
  const found = factors.filter(({ name, id }) => name === given || id === given)
  const [one, ...others] = found
  if (!one) throw new Problem('failed', `you have nothing of the name ${given}`, 'See which you have: sallyport mfa ls')
  if (others.length === 0) return one
  const which = found.map(({ kind, id }) => `the ${factorWords[kind]} with "sallyport mfa rm -- ${id}"`).join(', ')
  throw new Problem('failed', `you have ${found.length} of the name ${given}`, `remove ${which}`)
}
