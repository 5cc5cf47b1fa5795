/** One more passkey, or a security key: a tap of one that the user has, then the new one, then the vouch that names it. */
import { WebAuthnAbortService } from '@simplewebauthn/browser'
import type { AddPasskeySubject, Intent } from '../core/intent.ts'
import { publicKeyIn } from '../core/lib/attestation-object.ts'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { signVouch, thumbprintOf, type VouchKey } from '../core/vouch.ts'
import {
  type Assertion,
  type CreationOptions,
  intentOf,
  make,
  type Registration,
  type RequestOptions,
  tap,
} from './ceremony.ts'
import { EdgeProblem, type Finished, post } from './edge.ts'
import { busily, leaveFor, part, Status, setBusy } from './page.ts'

interface OneTimeKey {
  readonly privateKey: CryptoKey
  readonly jwk: VouchKey
}

type Kind = AddPasskeySubject['kind']
const words: Readonly<Record<Kind, string>> = { passkey: 'passkey', security_key: 'security key' }

/** After the tap: all that the second step needs. */
interface Tapped {
  readonly kind: Kind
  readonly key: OneTimeKey
  readonly ticket: string
  readonly intent: Intent<'register'>
  readonly assertion: Assertion
  readonly create: CreationOptions
}

export function startAdding(): void {
  const form = new AddForm()
  form.start()
}

class AddForm {
  readonly #status = new Status('add-status')
  readonly #name = part('name', HTMLInputElement)
  readonly #add = part('add-button', HTMLButtonElement)
  readonly #make = part('make-button', HTMLButtonElement)
  readonly #cancel = part('add-cancel', HTMLButtonElement)
  readonly #steps = [...part('steps', HTMLOListElement).children]
  /** None where only passkeys are taken. */
  readonly #kinds = [...document.querySelectorAll<HTMLInputElement>('#add input[name="kind"]')]
  #tapped: Tapped | undefined

  start(): void {
    part('add', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      // Enter in the text box submits the form at either step.
      const button = this.#tapped ? this.#make : this.#add
      void busily(button, this.#status, () => (this.#tapped ? this.#makeNew(this.#tapped) : this.#tapFirst()))
    })
    this.#make.addEventListener('click', () => {
      const tapped = this.#tapped
      if (tapped) void busily(this.#make, this.#status, () => this.#makeNew(tapped))
    })
    for (const kind of this.#kinds) kind.addEventListener('change', () => this.#nameKind())
    // A browser that reloads the page may keep the choice.
    this.#nameKind()
    this.#cancel.addEventListener('click', () => {
      this.#startOver('Cancelled. Nothing was added.')
      WebAuthnAbortService.cancelCeremony()
    })
  }

  get #kind(): Kind {
    return this.#kinds.some(({ value, checked }) => checked && value === 'security_key') ? 'security_key' : 'passkey'
  }

  #nameKind(): void {
    for (const word of document.querySelectorAll('#add [data-kind-word]')) word.textContent = words[this.#kind]
  }

  /** What is added stays as it was tapped for. */
  #hold(isHeld: boolean): void {
    this.#name.readOnly = isHeld
    for (const kind of this.#kinds) kind.disabled = isHeld
  }

  async #tapFirst(): Promise<void> {
    this.#name.removeAttribute('aria-invalid')
    this.#hold(true)
    this.#showStep(0)
    try {
      const tapped = await tapPasskey(this.#kind, this.#name.value, (text) => this.#status.say(text))
      this.#tapped = tapped
      await this.#makeNew(tapped)
    } catch (error) {
      if (!this.#tapped) this.#startOver()
      if (error instanceof EdgeProblem && error.word.startsWith('name_')) this.#nameIsWrong()
      throw error
    }
  }

  /** Some browsers want a click of its own for each call, and an authenticator can be the wrong one: then a button goes on. */
  async #makeNew(tapped: Tapped): Promise<void> {
    this.#showStep(1)
    this.#status.say(`Step 2 of 2: make the new ${words[tapped.kind]}…`)
    const registration = await make(tapped.create).catch((error: unknown) => {
      const isCancelled = this.#tapped !== tapped
      if (Date.now() / 1000 >= tapped.intent.exp) this.#startOver()
      else if (!isCancelled) this.#offerToGoOn()
      throw error
    })
    this.#cancel.hidden = true
    this.#status.say('Adding…')
    try {
      leaveFor(await finish(tapped, registration), `The ${words[tapped.kind]} ${this.#name.value.trim()} was added.`)
    } catch (error) {
      this.#startOver()
      throw error
    }
  }

  #offerToGoOn(): void {
    setBusy(this.#add, false)
    this.#add.hidden = true
    this.#make.hidden = false
    this.#cancel.hidden = false
    this.#make.focus()
  }

  #startOver(text = ''): void {
    const wasAtStepTwo = !this.#make.hidden
    setBusy(this.#make, false)
    setBusy(this.#add, false)
    this.#tapped = undefined
    this.#hold(false)
    this.#add.hidden = false
    this.#make.hidden = true
    this.#cancel.hidden = true
    this.#showStep(undefined)
    this.#status.say(text)
    if (wasAtStepTwo) this.#add.focus()
  }

  #nameIsWrong(): void {
    this.#name.setAttribute('aria-invalid', 'true')
    this.#name.focus()
  }

  #showStep(current: number | undefined): void {
    for (const [i, step] of this.#steps.entries()) {
      if (i === current) step.setAttribute('aria-current', 'step')
      else step.removeAttribute('aria-current')
      step.classList.toggle('done', current !== undefined && i < current)
    }
  }
}

async function tapPasskey(kind: Kind, typed: string, say: (text: string) => void): Promise<Tapped> {
  say('Step 1 of 2: tap one that you have…')
  const key = await newOneTimeKey()
  const begun = await post<{ ticket: string; tap: RequestOptions; create: CreationOptions }>('/v1/passkeys/begin', {
    kind,
    name: typed,
    vouch_key: key.jwk,
  })
  const subject = {
    kind,
    name: typed.normalize('NFC').trim(),
    vouch_key: thumbprintOf(key.jwk),
  } as const
  const { ticket, create } = begun
  const shown = { purpose: 'register', subject } as const
  const intent = await intentOf(ticket, shown, begun.tap.challenge, create.challenge)
  return { kind, key, ticket, intent, create, assertion: await tap(begun.tap) }
}

async function newOneTimeKey(): Promise<OneTimeKey> {
  const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(p256, false, ['sign', 'verify'])
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey)
  return { privateKey, jwk: { kty: 'EC', crv: 'P-256', x, y } }
}

async function finish({ key, ticket, intent, assertion }: Tapped, registration: Registration): Promise<Finished> {
  const publicKey = publicKeyIn(registration.response.attestationObject)
  if (!publicKey) throw new TypeError('The new passkey cannot be read')
  const subject = {
    user: intent.user ?? '',
    credential_id: registration.id,
    public_key_hash: base64url(sha256(publicKey)),
    may_vouch: (intent.subject as AddPasskeySubject).may_vouch,
  }
  const vouch_signature = await signVouch(key.privateKey, intent, subject)
  return post<Finished>('/v1/passkeys/finish', {
    ticket,
    assertion,
    registration,
    vouch_key: key.jwk,
    vouch_signature,
  })
}
