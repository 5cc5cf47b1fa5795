import { startAdding } from './add-passkey.ts'
import { startApps } from './authenticator-app.ts'
import { ConfirmDialog } from './confirm.ts'
import { type Finished, post } from './edge.ts'
import { busily, leaveFor, mayBe, part, reloadWhenStale, Status, tellWhatWasDone } from './page.ts'
import { startPassword } from './password-change.ts'
import { startRecoveryCodes } from './recovery-codes.ts'
import { startRemoving } from './remove-passkey.ts'
import { startShowing } from './show-password.ts'
import { localizeTimes } from './times.ts'

reloadWhenStale()
localizeTimes()
if (mayBe('add', HTMLFormElement)) startAdding()
startRemoving()
const dialog = new ConfirmDialog()
startShowing()
startPassword(dialog)
startApps(dialog)
startRecoveryCodes(dialog)

const accountStatus = new Status('account-status')
tellWhatWasDone(accountStatus)
const signOut = part('sign-out', HTMLButtonElement)
signOut.addEventListener('click', () => {
  void busily(signOut, accountStatus, async () => leaveFor(await post<Finished>('/v1/logout', {})))
})

/** Buttons that end something of one's own: `data-NAME` has its id. */
function startEnding(name: string, path: string, statusId: string, done: string): void {
  const status = new Status(statusId)
  for (const button of document.querySelectorAll<HTMLButtonElement>(`button[data-${name}]`)) {
    button.addEventListener('click', () => {
      const id = encodeURIComponent(button.getAttribute(`data-${name}`) ?? '')
      void busily(button, status, async () => leaveFor(await post<Finished>(`${path}/${id}/end`, {}), done))
    })
  }
}

startEnding('end', '/v1/sessions', 'sessions-status', 'The session was ended.')
startEnding('end-program', '/v1/client-sessions', 'programs-status', 'The login was ended.')
startEnding('end-connection', '/v1/connections', 'connections-status', 'The connection was ended.')
