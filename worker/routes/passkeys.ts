import { operations } from '../../core/api/operations.ts'
import { beginPasskeyAdd, finishPasskeyAdd } from '../../core/login/passkey-add.ts'
import { beginPasskeyRemove, finishPasskeyRemove } from '../../core/login/passkey-remove.ts'
import type { CredentialId } from '../../core/model.ts'
import type { App, Edge, EdgeContext } from '../edge.ts'
import { pageCall } from '../page-call.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'

const idOf = (c: EdgeContext) => c.req.param('id') as CredentialId

export function passkeyRoutes(app: App, edge: Edge): void {
  const { site, ports } = edge
  const signedInAgain = (c: EdgeContext, done: Awaited<ReturnType<typeof finishPasskeyAdd>>) => {
    setSession(c, done.cookie, done.expiresAt, ports.now())
    return { location: '/account' }
  }
  pageCall(app, edge, operations.passkeyAddBegin, async (c, { kind = 'passkey', name, vouch_key }) =>
    beginPasskeyAdd(site, ports, callerOf(c), beginHolder(c, ports), { kind, name, vouchKey: vouch_key }),
  )
  pageCall(app, edge, operations.passkeyAddFinish, async (c, { vouch_key, vouch_signature, ...given }) => {
    const answer = { ...given, vouchKey: vouch_key, vouchSignature: vouch_signature }
    return signedInAgain(c, await finishPasskeyAdd(site, ports, callerOf(c), answer))
  })
  pageCall(app, edge, operations.passkeyRemoveBegin, async (c) =>
    beginPasskeyRemove(site, ports, callerOf(c), beginHolder(c, ports), idOf(c)),
  )
  pageCall(app, edge, operations.passkeyRemove, async (c, given) =>
    signedInAgain(c, await finishPasskeyRemove(site, ports, callerOf(c), { ...given, id: idOf(c) })),
  )
}
