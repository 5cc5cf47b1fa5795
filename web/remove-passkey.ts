import { sendSignal, WebAuthnAbortService } from '@simplewebauthn/browser'
import { intentOf, type RequestOptions, tap } from './ceremony.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveFor, part, Status } from './page.ts'

/** Each Remove button opens the dialog, which says what goes and that another one is asked for. */
export function startRemoving(): void {
  const dialog = part('remove', HTMLDialogElement)
  const confirm = part('remove-confirm', HTMLButtonElement)
  const status = new Status('remove-status')
  let [id, name, kind] = ['', '', '']
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-remove]')) {
    button.addEventListener('click', () => {
      id = button.dataset['remove'] ?? ''
      name = button.dataset['name'] ?? ''
      kind = button.dataset['kind'] ?? ''
      part('remove-kind', HTMLElement).textContent = kind
      part('remove-name', HTMLElement).textContent = name
      status.say('')
      dialog.showModal()
    })
  }
  confirm.addEventListener('click', () => void busily(confirm, status, () => remove({ id, name, kind }, status)))
  part('remove-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close())
  // Escape closes the dialog too, perhaps while the browser still asks for a tap.
  dialog.addEventListener('close', () => WebAuthnAbortService.cancelCeremony())
}

interface Leaving {
  readonly id: string
  readonly name: string
  /** In words. */
  readonly kind: string
}

async function remove({ id, name, kind }: Leaving, status: Status): Promise<void> {
  const path = `/v1/passkeys/${encodeURIComponent(id)}/remove`
  status.say('Waiting for another of yours…')
  const { ticket, options } = await post<{ ticket: string; options: RequestOptions }>(`${path}/begin`, {})
  await intentOf(ticket, { purpose: 'admin', subject: { method: 'POST', path } }, options.challenge)
  const assertion = await tap(options)
  status.say('Removing…')
  const finished = await post<Finished>(path, { ticket, assertion })
  await forget(options.rpId ?? location.hostname, id)
  leaveFor(finished, `The ${kind} ${name} was removed.`)
}

/** So that whoever keeps the passkey offers it here no more. Not every browser can; none is waited for. */
async function forget(rpID: string, credentialID: string): Promise<void> {
  const told = sendSignal({ signalName: 'unknownCredential', rpID, credentialID }).catch(() => undefined)
  await Promise.race([told, new Promise((done) => setTimeout(done, 500))])
}
