import { say } from './term.ts'

interface Taken {
  readonly lost: readonly { readonly user: string; readonly passkeys: number }[]
  readonly shut_out: readonly string[]
}

/** After a change of how people log in that was forced. */
export function sayTaken({ lost, shut_out: out }: Taken): void {
  if (lost.length > 0) {
    const whose = lost.map(({ user, passkeys }) => `${user} (${passkeys})`).join(', ')
    say(`These passkeys have stopped working: ${whose}.`)
  }
  if (out.length > 0) {
    const who = out.length === 1 ? 'One person' : `${out.length} people`
    say(`${who} cannot sign in any more: ${out.join(', ')}.`)
    say('To let somebody in again: sallyport admin users reset NAME')
  }
}
