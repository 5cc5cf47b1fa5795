/** Approving a program: what is approved is exactly the request that this page shows, which a tap signs the hash of. */
import { canonicalJson } from '../core/intent.ts'
import { base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { type Begun, challengesOf, startApproval } from './approval.ts'
import { intentOf } from './ceremony.ts'
import { post } from './edge.ts'
import { part } from './page.ts'

const asked = part('asked', HTMLElement)
const request = JSON.parse(asked.dataset['request'] ?? '') as Readonly<Record<string, string | undefined>>

startApproval({
  begin: async () => {
    const begun = await post<Begun & { ticket: string }>('/v1/authorize/begin', { request })
    await intentOf(begun.ticket, { purpose: 'cli', subject: subjectShown() }, ...challengesOf(begun))
    return begun
  },
  finish: ({ ticket }, proof) => post('/v1/authorize/finish', { request, ticket, ...proof }),
  refuse: () => post('/v1/authorize/refuse', { request }),
})

/** The same as core/oauth/authorize.ts makes of the request. */
function subjectShown() {
  const { client_id = '', redirect_uri = '', code_challenge = '', state = '', dpop_jkt = '' } = request
  const flow = base64url(sha256(canonicalJson({ client_id, redirect_uri, code_challenge, state })))
  const { scope = '', address = '' } = asked.dataset
  return { flow, client_key: dpop_jkt, scope, address }
}
