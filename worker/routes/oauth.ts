import { recentLogin } from '../../core/access/principal.ts'
import { openApi } from '../../core/api/openapi.ts'
import { operations } from '../../core/api/operations.ts'
import type { Shape } from '../../core/api/shape.ts'
import type { Json } from '../../core/intent.ts'
import { seconds } from '../../core/model.ts'
import { phishingResistant } from '../../core/oauth/authentication-context.ts'
import { beginDeviceFlow } from '../../core/oauth/device-flow.ts'
import { metadataOf } from '../../core/oauth/discovery.ts'
import { dpopAlgorithms } from '../../core/oauth/dpop.ts'
import { revoke } from '../../core/oauth/revoke.ts'
import { exchange, type TokenContext } from '../../core/oauth/token.ts'
import { Refusal, type RefusalCode } from '../../core/refusal.ts'
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

/**
 * How a login must be that would do, where the one behind the token does not (RFC 9470 section 3). A tap of one request or session
 * (tap_missing, tap_wanted) is not among them: no login stands in for it.
 */
const stepUps: { readonly [code in RefusalCode]?: string } = {
  login_too_old: `acr_values="${phishingResistant}", max_age="${recentLogin / seconds(1)}"`,
  login_untapped: `acr_values="${phishingResistant}"`,
  login_headless: `acr_values="${phishingResistant}"`,
}

/** Of a call with a token: RFC 6750 section 3.1, RFC 9449 section 7.1, RFC 9470 section 3. */
export function challengeOf({ code, status, word, remedy }: Refusal): string | undefined {
  const scheme = `DPoP algs="${dpopAlgorithms.join(' ')}"`
  const stepUp = stepUps[code]
  if (stepUp !== undefined)
    return `${scheme}, error="insufficient_user_authentication", error_description="${remedy}", ${stepUp}`
  if (status !== 401 || word === 'refused' || word === 'sign_in') return undefined
  return `${scheme}, error="${word}"`
}
