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

const sessionsStatus = new Status('sessions-status')
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-end]')) {
  button.addEventListener('click', () => {
    const path = `/v1/sessions/${encodeURIComponent(button.dataset['end'] ?? '')}/end`
    void busily(button, sessionsStatus, async () => leaveFor(await post<Finished>(path, {}), 'The session was ended.'))
  })
}

const programsStatus = new Status('programs-status')
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-end-program]')) {
  button.addEventListener('click', () => {
    const path = `/v1/client-sessions/${encodeURIComponent(button.dataset['endProgram'] ?? '')}/end`
    void busily(button, programsStatus, async () => leaveFor(await post<Finished>(path, {}), 'The login was ended.'))
  })
}
