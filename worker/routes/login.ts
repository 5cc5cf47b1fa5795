import { Hono } from 'hono'
import { beginPasskeyLogin, finishPasskeyLogin } from '../../core/login/passkey-login.ts'
import { object, optional, text } from '../body.ts'
import type { Edge, Variables } from '../edge.ts'
import { longestNext, parseNext } from '../next.ts'
import { openPost } from '../post.ts'
import { beginHolder, callerOf, setSession } from '../principal.ts'
import { assertion, ticket } from '../webauthn-shapes.ts'

const answer = object({ ticket, assertion, next: optional(text(longestNext)) })

export const loginRoutes = (edge: Edge) =>
  new Hono<{ Variables: Variables }>()
    .post(
      '/begin',
      openPost(edge, object({}), async (c) => beginPasskeyLogin(edge.site, edge.ports, beginHolder(c, edge.ports))),
    )
    .post(
      '/finish',
      openPost(edge, answer, async (c, { next, ...given }) => {
        const { site, ports } = edge
        const { cookie, expiresAt } = await finishPasskeyLogin(site, ports, callerOf(c), given)
        setSession(c, cookie, expiresAt, ports.now())
        return { location: parseNext(next, site.origin) }
      }),
    )
