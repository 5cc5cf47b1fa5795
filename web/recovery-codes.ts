import type { ConfirmDialog } from './confirm.ts'
import { copyWith } from './copy.ts'
import { change } from './factor-change.ts'
import { leaveFor, mayBe, part, Status, setBusy } from './page.ts'

export function startRecoveryCodes(dialog: ConfirmDialog): void {
  const button = mayBe('codes-make', HTMLButtonElement)
  if (!button) return
  const outer = new Status('codes-status')
  const confirmation = {
    act: 'Make',
    thing: 'Recovery codes',
    text: 'You get ten new ones. Any that you have stop working.',
    button: 'Make them',
  }
  const shown = { purpose: 'register', subject: { kind: 'recovery-codes' } } as const
  button.addEventListener('click', () => {
    dialog.ask(confirmation, button, outer, async (confirmed) => {
      const { codes } = await change<{ codes: readonly string[] }>('/v1/recovery-codes', { shown }, confirmed)
      confirmed.status.say('')
      setBusy(confirmed.button, false)
      dialog.close()
      show(codes, button, outer)
    })
  })
}

/** This once: they are in this page, and nowhere else. */
function show(codes: readonly string[], button: HTMLButtonElement, status: Status): void {
  const items = codes.map((code) => {
    const item = document.createElement('li')
    item.textContent = code
    return item
  })
  part('codes-list', HTMLOListElement).replaceChildren(...items)
  part('codes-left', HTMLElement).textContent = `${codes.length} new ones.`
  button.hidden = true
  part('codes', HTMLElement).hidden = false
  part('codes-heading', HTMLElement).focus()
  const copy = part('codes-copy', HTMLButtonElement)
  copy.addEventListener('click', () => void copyWith(copy, status, codes.join('\n')))
  part('codes-print', HTMLButtonElement).addEventListener('click', () => print())
  part('codes-done', HTMLButtonElement).addEventListener('click', () => {
    leaveFor({ location: '/account' }, 'Ten recovery codes were made.')
  })
}
