/** Adding an authenticator app: its key as a QR code and to type, a code that shows that the app has it, then the proof. And removing one. */
import { base64url, fromBase64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import type { ConfirmDialog, Confirmed } from './confirm.ts'
import { copyWith } from './copy.ts'
import { EdgeProblem, type Finished } from './edge.ts'
import { type Begun, beginChange, change, finishChange, type Proof, prove, removalOf } from './factor-change.ts'
import { busily, leaveFor, mayBe, onSubmit, part, Status, setBusy } from './page.ts'

interface AppBegun extends Begun {
  readonly uri: string
  readonly secret: string
  readonly sealed: string
}

const path = '/v1/totp'
/** A little less than the ticket's five minutes. */
const life = 280_000

export function startApps(dialog: ConfirmDialog): void {
  if (mayBe('app-form', HTMLFormElement)) new AppForm(dialog).start()
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-app]')) {
    button.addEventListener('click', () => remove(dialog, button))
  }
}

class AppForm {
  readonly #dialog: ConfirmDialog
  readonly #form = part('app-form', HTMLFormElement)
  readonly #name = part('app-name', HTMLInputElement)
  readonly #begin = part('app-begin', HTMLButtonElement)
  readonly #setup = part('app-setup', HTMLElement)
  readonly #code = part('app-code', HTMLInputElement)
  readonly #add = part('app-add', HTMLButtonElement)
  readonly #outer = new Status('apps-status')
  readonly #inner = new Status('app-setup-status')
  #begun: AppBegun | undefined
  #begunAt = 0
  /** Given already: a mistyped code wants no second tap. */
  #proof: Proof | undefined

  constructor(dialog: ConfirmDialog) {
    this.#dialog = dialog
  }

  start(): void {
    onSubmit('app-form', () => void busily(this.#begin, this.#outer, () => this.#show()))
    onSubmit('app-code-form', () => this.#confirm())
    part('app-cancel', HTMLButtonElement).addEventListener('click', () => {
      this.#startOver()
      this.#outer.say('Cancelled. No app was added: remove what you scanned from the app.')
      this.#name.focus()
    })
    const copy = part('app-copy', HTMLButtonElement)
    copy.addEventListener('click', () => void copyWith(copy, this.#inner, this.#begun?.secret ?? ''))
  }

  async #show(): Promise<void> {
    this.#name.removeAttribute('aria-invalid')
    const name = this.#name.value
    try {
      this.#begun = await beginChange<AppBegun>(path, { name }, shownBy(name))
    } catch (error) {
      if (error instanceof EdgeProblem && error.word.startsWith('name_')) {
        this.#name.setAttribute('aria-invalid', 'true')
        this.#name.focus()
      }
      throw error
    }
    this.#begunAt = Date.now()
    const { uri, secret } = this.#begun
    // Loaded late: whoever adds no app does without it.
    const { qrCode } = await import('./qr-code.ts')
    part('app-qr', HTMLElement).replaceChildren(qrCode(uri, 'QR code for the authenticator app'))
    part('app-link', HTMLAnchorElement).href = uri
    part('app-secret', HTMLElement).textContent = secret.replaceAll(/.{4}(?=.)/g, '$& ')
    setBusy(this.#begin, false)
    this.#outer.say('')
    this.#inner.say('')
    this.#form.hidden = true
    this.#setup.hidden = false
    part('app-setup-heading', HTMLElement).focus()
  }

  #confirm(): void {
    const confirmation = {
      act: 'Add the authenticator app',
      thing: this.#name.value,
      text: 'Its codes will sign you in together with your password.',
      button: 'Add it',
    }
    this.#dialog.ask(confirmation, this.#add, this.#inner, (confirmed) => this.#finish(confirmed))
  }

  async #finish(confirmed: Confirmed): Promise<void> {
    const { status, current } = confirmed
    const begun = this.#begun
    if (!begun || Date.now() - this.#begunAt > life) throw new EdgeProblem('expired', tooLate)
    this.#code.removeAttribute('aria-invalid')
    const proof = current ? { current } : (this.#proof ?? (await prove(begun, confirmed)))
    this.#proof = current ? undefined : proof
    status.say('Adding…')
    const more = { sealed: begun.sealed, new_code: this.#code.value }
    try {
      leaveFor(await finishChange<Finished>(path, begun, proof, more), `The app ${this.#name.value.trim()} was added.`)
    } catch (error) {
      if (!(error instanceof EdgeProblem && error.word === 'new_code_wrong')) throw error
      this.#code.setAttribute('aria-invalid', 'true')
      this.#code.select()
      throw new EdgeProblem(error.word, wrongCode, { requestId: error.requestId, cause: error })
    }
  }

  #startOver(): void {
    this.#begun = undefined
    this.#proof = undefined
    this.#code.value = ''
    this.#form.hidden = false
    this.#setup.hidden = true
    part('app-qr', HTMLElement).replaceChildren()
    part('app-secret', HTMLElement).textContent = ''
  }
}

const wrongCode =
  'That code does not fit. Wait for the next one and type it. If that does not fit either, let the phone set its clock by itself, or cancel and scan a new QR code.'
const tooLate = 'That took longer than five minutes. Cancel, remove the entry from the app, and scan a new QR code.'

/** The subject names the app and the very key that the page shows. */
const shownBy =
  (typed: string) =>
  ({ sealed }: AppBegun) => {
    const secret = base64url(sha256(fromBase64url(sealed) ?? new Uint8Array()))
    return { purpose: 'register', subject: { kind: 'totp', name: typed.normalize('NFC').trim(), secret } } as const
  }

function remove(dialog: ConfirmDialog, button: HTMLButtonElement): void {
  const name = button.dataset['name'] ?? ''
  const target = `${path}/${encodeURIComponent(button.dataset['app'] ?? '')}/remove`
  const confirmation = {
    act: 'Remove the authenticator app',
    thing: name,
    text: 'Its codes will no longer sign you in, and sessions that codes opened end.',
    button: 'Remove',
    isDanger: true,
  }
  dialog.ask(confirmation, button, new Status('apps-status'), async (confirmed) => {
    const finished = await change<Finished>(target, { shown: removalOf(target) }, confirmed)
    leaveFor(finished, `The app ${name} was removed. Delete its entry in the app too.`)
  })
}
