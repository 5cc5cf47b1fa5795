import { openApi } from '../../core/api/openapi.ts'
import { operations } from '../../core/api/operations.ts'
import type { Shape } from '../../core/api/shape.ts'
import type { Json } from '../../core/intent.ts'
import { beginDeviceFlow } from '../../core/oauth/device-flow.ts'
import { metadataOf } from '../../core/oauth/discovery.ts'
import { dpopAlgorithms } from '../../core/oauth/dpop.ts'
import { revoke } from '../../core/oauth/revoke.ts'
import { exchange, type TokenContext } from '../../core/oauth/token.ts'
import { Refusal } from '../../core/refusal.ts'
import { readForm } from '../body.ts'
import type { App, Edge, EdgeContext } from '../edge.ts'
import { limitingAll, limitingFailures } from '../page-call.ts'
import { route } from '../route.ts'
import { giveNonce } from '../token-call.ts'

/** Words of somebody who tries codes or tokens: these count against the address. */
const failures: ReadonlySet<string> = new Set(['invalid_grant', 'invalid_client'])

export function oauthRoutes(app: App, edge: Edge): void {
  const { site, ports, clients } = edge
  const contextOf = (c: EdgeContext): TokenContext => {
    const where = { method: c.req.method, url: site.origin + c.req.path, proof: c.req.header('dpop') }
    return { site, clients, asking: c.get('asking'), ...where }
  }
  route(app, operations.token, (c) =>
    limitingFailures(edge, c, edge.programs, failures, async () => {
      giveNonce(edge, c)
      const request = await readParameters(edge, c, operations.token.body)
      const tokens = await exchange(ports, contextOf(c), request)
      // RFC 6749 section 5.1.
      c.header('Pragma', 'no-cache')
      return c.json(tokens)
    }),
  )
  route(app, operations.deviceAuthorization, (c) =>
    limitingAll(edge, c, edge.deviceCodes, async () => {
      giveNonce(edge, c)
      const request = await readParameters(edge, c, operations.deviceAuthorization.body)
      return c.json(await beginDeviceFlow(ports, contextOf(c), request))
    }),
  )
  route(app, operations.revoke, (c) =>
    limitingFailures(edge, c, edge.programs, failures, async () => {
      const { token, client_id: clientId } = await readParameters(edge, c, operations.revoke.body)
      await revoke(site, ports, clients, c.get('asking'), { token, clientId })
      return c.json({})
    }),
  )
  route(app, operations.jwks, async (c) => {
    c.header('Cache-Control', 'public, max-age=60')
    return c.json({ keys: await ports.keyring.published() })
  })
  for (const operation of [operations.oauthMetadata, operations.openidMetadata]) {
    route(app, operation, async (c) => c.json(metadataOf(site)))
  }
  const description = openApi(site, operations) as Json
  route(app, operations.openapi, async (c) => c.json(description))
}

/** RFC 6749 section 5.2 has a word of its own for a form that is wrong. */
async function readParameters<T>({ lengthsHold }: Edge, c: EdgeContext, read: Shape<T>): Promise<T> {
  const form = await readForm(c, lengthsHold)
  try {
    return read(form, 'body')
  } catch (cause) {
    if (cause instanceof Refusal) throw new Refusal('token_request_invalid', cause.detail, { cause })
    throw cause
  }
}

/** RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 9449 sections 5 and 7.1, RFC 9470 section 3. */
export function challengeOf(refusal: Refusal): string | undefined {
  if (refusal.word === 'refused' || refusal.word === 'sign_in') return undefined
  const maxAge = refusal.code === 'login_too_old' ? ', max_age="300"' : ''
  return `DPoP algs="${dpopAlgorithms.join(' ')}", error="${refusal.word}"${maxAge}`
}
