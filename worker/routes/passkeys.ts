import { Hono } from 'hono'
import { beginPasskeyAdd, finishPasskeyAdd } from '../../core/login/passkey-add.ts'
import { beginPasskeyRemove, finishPasskeyRemove } from '../../core/login/passkey-remove.ts'
import type { CredentialId } from '../../core/model.ts'
import { object, text } from '../body.ts'
import type { Edge, EdgeContext, Variables } from '../edge.ts'
import { post } from '../post.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'
import { assertion, registration, ticket, vouchKey } from '../webauthn-shapes.ts'

const addAsk = object({ name: text(256), vouch_key: vouchKey })
const addAnswer = object({ ticket, assertion, registration, vouch_key: vouchKey, vouch_signature: text(128) })

const idOf = (c: EdgeContext) => c.req.param('id') as CredentialId

export const passkeyRoutes = (edge: Edge) => {
  const { site, ports } = edge
  const signedInAgain = (c: EdgeContext, done: Awaited<ReturnType<typeof finishPasskeyAdd>>) => {
    setSession(c, done.cookie, done.expiresAt, ports.now())
    return { location: '/account' }
  }
  return new Hono<{ Variables: Variables }>()
    .post(
      '/begin',
      post(edge, addAsk, async (c, { name, vouch_key }) => {
        return beginPasskeyAdd(site, ports, callerOf(c), beginHolder(c, ports), {
          name,
          vouchKey: vouch_key,
        })
      }),
    )
    .post(
      '/finish',
      post(edge, addAnswer, async (c, { vouch_key, vouch_signature, ...given }) => {
        const answer = { ...given, vouchKey: vouch_key, vouchSignature: vouch_signature }
        return signedInAgain(c, await finishPasskeyAdd(site, ports, callerOf(c), answer))
      }),
    )
    .post(
      '/:id/remove/begin',
      post(edge, object({}), async (c) => {
        return beginPasskeyRemove(site, ports, callerOf(c), beginHolder(c, ports), idOf(c))
      }),
    )
    .post(
      '/:id/remove',
      post(edge, object({ ticket, assertion }), async (c, given) => {
        const answer = { ...given, id: idOf(c) }
        return signedInAgain(c, await finishPasskeyRemove(site, ports, callerOf(c), answer))
      }),
    )
}
