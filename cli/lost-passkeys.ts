import { say } from './term.ts'

/** After a change of the relying party that was forced. */
export function sayLost(lost: readonly { readonly user: string; readonly passkeys: number }[]): void {
  if (lost.length === 0) return
  const whose = lost.map(({ user, passkeys }) => `${user} (${passkeys})`).join(', ')
  say(`These passkeys have stopped working: ${whose}.`)
  say('Whoever has no other needs a new invite: sallyport admin users rm, then add.')
}
