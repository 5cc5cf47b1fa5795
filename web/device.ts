/** Approving a program that runs elsewhere: what is approved is exactly the request that this page shows, which a tap signs the hash of. */
import { canonicalJson } from '../core/intent.ts'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type Begun, challengesOf, startApproval } from './approval.ts'
import { intentOf } from './ceremony.ts'
import { EdgeProblem, post } from './edge.ts'
import { part } from './page.ts'
import { localizeTimes } from './times.ts'

const { client = '', code = '', hash = '', key = '', scope = '', address = '' } = part('asked', HTMLElement).dataset
const compared = part('compared', HTMLInputElement)

localizeTimes()
startApproval({
  begin: async () => {
    requireComparison()
    const begun = await post<Begun & { ticket: string }>('/v1/device/begin', { user_code: code })
    await intentOf(begun.ticket, { purpose: 'cli', subject: subjectShown() }, ...challengesOf(begun))
    return begun
  },
  finish: ({ ticket }, proof) => post('/v1/device/finish', { user_code: code, ticket, ...proof }),
  refuse: () => post('/v1/device/refuse', { user_code: code }),
})

/** Whoever came by somebody's link sees a code here, and none in a terminal. */
function requireComparison(): void {
  if (compared.checked) return
  compared.focus()
  throw new EdgeProblem('not_compared', 'First compare the code with the terminal, and tick the box if it is the same.')
}

/** The same as core/oauth/device-approval.ts makes of the request. */
function subjectShown() {
  const flow = base64url(sha256(canonicalJson({ client_id: client, user_code: code, device_code_hash: hash })))
  return { flow, client_key: key, scope, address }
}
