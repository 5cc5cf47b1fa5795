/** Confirming a change: the dialog says what is about to change. Who has no passkey to tap with types what shows that it is he. */
import { WebAuthnAbortService } from '@simplewebauthn/browser'
import { busily, mayBe, onSubmit, part, Status } from './page.ts'

/** What somebody shows who has no passkey, as the edge reads it. */
export interface Current {
  readonly password: string
  readonly code?: string
  readonly recovery_code?: string
}

export interface Confirmation {
  /** The act in small, the thing that it is about in large. */
  readonly act: string
  readonly thing: string
  readonly text: string
  readonly button: string
  /** It takes something away: then it is asked for even where a tap follows. */
  readonly isDanger?: boolean
}

/** Where a change that was confirmed tells how it stands, and what was typed for it. */
export interface Confirmed {
  readonly button: HTMLButtonElement
  readonly status: Status
  readonly current: Current | undefined
}

type Work = (confirmed: Confirmed) => Promise<void>

export class ConfirmDialog {
  readonly #dialog = part('confirm', HTMLDialogElement)
  readonly #button = part('confirm-button', HTMLButtonElement)
  readonly #status = new Status('confirm-status')
  #work: Work = async () => undefined

  constructor() {
    onSubmit('confirm-form', () => {
      const confirmed = { button: this.#button, status: this.#status, current: typedProof() }
      void busily(this.#button, this.#status, () => this.#work(confirmed))
    })
    part('confirm-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close())
    // Escape closes the dialog too, perhaps while the browser still asks for a tap.
    this.#dialog.addEventListener('close', () => {
      WebAuthnAbortService.cancelCeremony()
      for (const input of this.#dialog.querySelectorAll('input')) input.value = ''
    })
  }

  /** Runs `work` once it is confirmed: at once where the browser asks for a tap and nothing is taken away. */
  ask(confirmation: Confirmation, button: HTMLButtonElement, status: Status, work: Work): void {
    const { act, thing, text, isDanger = false } = confirmation
    if (this.#dialog.dataset['proof'] === 'tap' && !isDanger) {
      void busily(button, status, () => work({ button, status, current: undefined }))
      return
    }
    this.#work = work
    part('confirm-act', HTMLElement).textContent = act
    part('confirm-thing', HTMLElement).textContent = thing
    part('confirm-text', HTMLElement).textContent = text
    this.#button.textContent = confirmation.button
    this.#button.className = isDanger ? 'danger' : 'primary'
    this.#status.say('')
    this.#dialog.showModal()
    // Enter in a hurry must remove nothing.
    const first = this.#dialog.querySelector('input') ?? part('confirm-cancel', HTMLButtonElement)
    first.focus()
  }

  close(): void {
    this.#dialog.close()
  }
}

/** Six digits are an app's; anything else can only be a recovery code. */
function typedProof(): Current | undefined {
  const password = mayBe('current-password', HTMLInputElement)?.value
  if (password === undefined) return undefined
  const code = mayBe('current-code', HTMLInputElement)?.value
  if (code === undefined) return { password }
  return /^\s*(\d\s*){6}$/.test(code) ? { password, code } : { password, recovery_code: code }
}
