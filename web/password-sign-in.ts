/**
 * Name and password, then a second factor. What somebody has is told to nobody, so all that the cluster takes is offered; whatever was
 * wrong, the answer is one, and the way goes back to the first step with name and password still there.
 */
import { WebAuthnAbortService } from '@simplewebauthn/browser'
import { type Assertion, intentOf, type RequestOptions, tap } from './ceremony.ts'
import { EdgeProblem, type Finished, post } from './edge.ts'
import { busily, leaveForAsked, onSubmit, part, Status, setBusy } from './page.ts'
import { proofRefused } from './words.ts'

interface Begun {
  readonly ticket: string
  readonly factors: readonly ('webauthn' | 'otp' | 'recovery')[]
  readonly second_factor: 'required' | 'optional' | 'off'
  readonly options?: RequestOptions
}

type Factor =
  | { readonly assertion: Assertion }
  | { readonly code: string }
  | { readonly recovery_code: string }
  | Record<string, never>

/** A little less than the ticket's five minutes. */
const life = 280_000

export function startPasswords(next: string | undefined): void {
  const form = new PasswordForm(next)
  form.start()
}

class PasswordForm {
  readonly #next: string | undefined
  readonly #name = part('name', HTMLInputElement)
  readonly #password = part('password', HTMLInputElement)
  readonly #continue = part('password-button', HTMLButtonElement)
  readonly #tap = part('by-webauthn', HTMLButtonElement)
  readonly #code = part('code', HTMLInputElement)
  readonly #recoveryCode = part('recovery-code', HTMLInputElement)
  readonly #first = new Status('password-status')
  readonly #second = new Status('second-status')
  #begun: Begun | undefined
  #begunAt = 0

  constructor(next: string | undefined) {
    this.#next = next
  }

  start(): void {
    this.#name.value ||= nameIn(history.state)
    onSubmit('password-form', () => void busily(this.#continue, this.#first, () => this.#goOn()))
    this.#tap.addEventListener('click', () => void this.#show(this.#tap, () => this.#tapped()))
    onSubmit('by-otp', () => {
      void this.#show(part('code-button', HTMLButtonElement), async () => ({ code: this.#code.value }))
    })
    onSubmit('recovery-form', () => {
      const button = part('recovery-button', HTMLButtonElement)
      void this.#show(button, async () => ({ recovery_code: this.#recoveryCode.value }))
    })
    const without = part('without', HTMLButtonElement)
    without.addEventListener('click', () => void this.#show(without, async () => ({})))
    part('back', HTMLButtonElement).addEventListener('click', () => history.back())
    addEventListener('popstate', () => {
      WebAuthnAbortService.cancelCeremony()
      this.#showStep('first')
    })
  }

  /** The name stays in this entry of the history: it is there again after going back, and after a reload. */
  async #goOn(): Promise<void> {
    history.replaceState({ name: this.#name.value }, '')
    this.#first.say('Checking…')
    const begun = await this.#begin()
    if (begun.second_factor === 'off') return this.#finish({})
    this.#first.say('')
    history.pushState({ name: this.#name.value }, '')
    setBusy(this.#continue, false)
    this.#ask(begun)
  }

  async #begin(): Promise<Begun> {
    const begun = await post<Begun>('/v1/login/password/begin', { name: this.#name.value })
    const challenges = begun.options ? [begun.options.challenge] : []
    await intentOf(begun.ticket, { purpose: 'login', subject: { kind: 'password' } }, ...challenges)
    this.#begunAt = Date.now()
    this.#begun = begun
    return begun
  }

  /** Somebody may look for the phone longer than a ticket lives. */
  async #fresh(): Promise<Begun> {
    return this.#begun && Date.now() - this.#begunAt < life ? this.#begun : this.#begin()
  }

  #ask({ factors, second_factor }: Begun): void {
    for (const kind of ['webauthn', 'otp', 'recovery'] as const)
      part(`by-${kind}`, HTMLElement).hidden = !factors.includes(kind)
    part('by-nothing', HTMLElement).hidden = second_factor !== 'optional'
    part('who', HTMLElement).textContent = this.#name.value
    for (const input of [this.#code, this.#recoveryCode]) input.value = ''
    this.#second.say('')
    // What the browser offers in the name's box would be another way in.
    WebAuthnAbortService.cancelCeremony()
    this.#showStep('second')
    const first = factors.includes('webauthn') ? this.#tap : this.#code
    first.focus()
    // Where nothing else is taken, there is nothing to choose.
    if (factors.length === 1 && second_factor === 'required') this.#tap.click()
  }

  #showStep(step: 'first' | 'second'): void {
    part('first', HTMLElement).hidden = step !== 'first'
    part('second', HTMLElement).hidden = step !== 'second'
    if (step === 'first') this.#password.focus()
  }

  async #tapped(): Promise<Factor> {
    this.#second.say('Waiting for your passkey or security key…')
    const { options } = await this.#fresh()
    if (!options) throw new TypeError('There is nothing to tap')
    return { assertion: await tap(options) }
  }

  async #show(button: HTMLButtonElement, factor: () => Promise<Factor>): Promise<void> {
    await busily(button, this.#second, async () => {
      const shown = await factor()
      this.#second.say('Signing in…')
      await this.#finish(shown).catch((error: unknown) => {
        if (!isAboutProof(error)) throw error
        setBusy(button, false)
        this.#startOver(error)
      })
    })
  }

  async #finish(factor: Factor): Promise<void> {
    const { ticket } = await this.#fresh()
    const [name, password, next] = [this.#name.value, this.#password.value, this.#next]
    const answer = { ticket, name, password, ...factor, next }
    leaveForAsked(await post<Finished>('/v1/login/password/finish', answer).catch(explained))
  }

  #startOver(error: unknown): void {
    this.#begun = undefined
    this.#showStep('first')
    this.#first.fail(error)
    history.back()
  }
}

const explained = (error: unknown): never => {
  throw proofRefused(error)
}

/** Whether another second factor alone would not help. */
const isAboutProof = (error: unknown): boolean =>
  error instanceof EdgeProblem && ['refused', 'password_locked'].includes(error.word)

const nameIn = (state: unknown): string => (state as { readonly name?: string } | null)?.name ?? ''
