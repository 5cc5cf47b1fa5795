import { Hono } from 'hono'
import {
  acceptOffer,
  beginFirstAdministrator,
  checkLink,
  finishFirstAdministrator,
} from '../../core/login/first-administrator.ts'
import { object, text, whole } from '../body.ts'
import type { Edge, Variables } from '../edge.ts'
import { openPost } from '../post.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'
import { registration, ticket } from '../webauthn-shapes.ts'

const secret = text(64)
const offer = object({ link: text(64), id: text(64), iat: whole, proof: text(64) })

export const administratorRoutes = (edge: Edge) => {
  const { site, ports } = edge
  return new Hono<{ Variables: Variables }>()
    .post(
      '/check',
      openPost(edge, object({ secret }), async (c, body) => {
        const { expiresAt } = await checkLink(ports, c.get('asking'), body.secret)
        return { expires_at: Math.floor(expiresAt / 1000) }
      }),
    )
    .post(
      '/begin',
      openPost(edge, object({ secret, name: text(256) }), async (c, body) =>
        beginFirstAdministrator(site, ports, c.get('asking'), beginHolder(c, ports), body),
      ),
    )
    .post(
      '/finish',
      openPost(edge, object({ secret, ticket, registration }), async (c, body) => {
        const done = await finishFirstAdministrator(site, ports, callerOf(c), body)
        setSession(c, done.cookie, done.expiresAt, ports.now())
        return { location: '/account' }
      }),
    )
    .post(
      '/offer',
      openPost(edge, offer, async (c, { proof, ...offered }) => {
        const { expiresAt } = await acceptOffer(site, ports, c.get('asking'), offered, proof)
        return { expires_at: Math.floor(expiresAt / 1000) }
      }),
    )
}
