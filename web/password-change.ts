import type { ConfirmDialog } from './confirm.ts'
import { EdgeProblem, type Finished } from './edge.ts'
import { change, removalOf } from './factor-change.ts'
import { leaveFor, mayBe, onSubmit, part, Status } from './page.ts'

export function startPassword(dialog: ConfirmDialog): void {
  if (mayBe('password-form', HTMLFormElement)) startSetting(dialog)
  const button = mayBe('password-remove', HTMLButtonElement)
  button?.addEventListener('click', () => {
    const confirmation = {
      act: 'Remove',
      thing: 'Your password',
      text: 'It will no longer sign you in, and sessions that it opened end.',
      button: 'Remove',
      isDanger: true,
    }
    const path = '/v1/password/remove'
    dialog.ask(confirmation, button, new Status('password-status'), async (confirmed) => {
      const finished = await change<Finished>(path, { shown: removalOf(path) }, confirmed)
      leaveFor(finished, 'The password was removed.')
    })
  })
}

function startSetting(dialog: ConfirmDialog): void {
  const input = part('new-password', HTMLInputElement)
  const confirmation = {
    act: 'Change',
    thing: 'Your password',
    text: 'Other sessions that the password of before opened end.',
    button: 'Change it',
  }
  onSubmit('password-form', () => {
    const password = input.value
    input.removeAttribute('aria-invalid')
    const asked = {
      ask: { password },
      shown: { purpose: 'register', subject: { kind: 'password' } },
      more: { password },
    } as const
    const button = part('password-set', HTMLButtonElement)
    dialog.ask(confirmation, button, new Status('password-status'), async (confirmed) => {
      const finished = await change<Finished>('/v1/password', asked, confirmed).catch((error: unknown) => {
        if (isWeak(error)) input.setAttribute('aria-invalid', 'true')
        throw error
      })
      leaveFor(finished, 'The password was set.')
    })
  })
}

const isWeak = (error: unknown): boolean => error instanceof EdgeProblem && error.word === 'password_weak'
