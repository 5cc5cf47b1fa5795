import { originOf, parseAddress } from '../address.ts'
import { accessToken, openSession, type Session } from '../api.ts'
import { command, formatOption } from '../command.ts'
import { proofFor } from '../oauth.ts'
import { Problem } from '../problem.ts'
import { formatOf, print, say, show } from '../term.ts'
import { timestamp } from '../times.ts'

export default command({
  doing: 'show a token',
  help: `Usage: sallyport token [--format=text|json|yaml]
       sallyport token --proof METHOD URL [--nonce=NONCE] [--format=text|json|yaml]

An access token for a script. It is bound to the key in the profile (RFC 9449), so each
request also wants a proof made for it: --proof prints one for exactly that request. With
--format=json you get token and proof together.

Options:
  --proof        print a DPoP proof for METHOD and URL
  --nonce=NONCE  the nonce that the edge asked for in the header DPoP-Nonce

Examples:
  sallyport token
  sallyport token --proof GET https://access.example.com/v1/me --format=json
`,
  options: { proof: { type: 'boolean' }, nonce: { type: 'string' }, ...formatOption },
  takes: [0, 2],
  run: async ({ profile, proof, nonce, format }, given) => {
    const asked = requireRequest(proof ?? false, given, nonce)
    const form = formatOf(format)
    const session = await openSession(profile)
    const token = await accessToken(session)
    const { access_expires_at } = session.profile.tokens
    const made = asked && { proof: await proofOf(session, token, asked, nonce) }
    const data = { access_token: token, token_type: 'DPoP', expires_at: timestamp(access_expires_at), ...made }
    await show(form, data, () => print(made?.proof ?? token))
    if (!asked) {
      say('Send it as "Authorization: DPoP TOKEN". It is bound to the key of this profile: each request also wants')
      say('the header DPoP with a proof, made by "sallyport token --proof METHOD URL".')
    }
    return 'ok'
  },
})

interface Asked {
  readonly method: string
  readonly url: URL
}

function requireRequest(proof: boolean, given: readonly string[], nonce: string | undefined): Asked | undefined {
  const wrong = (why: string) => new Problem('usage', why, 'sallyport token --proof METHOD URL')
  if (!proof && (given.length > 0 || nonce !== undefined)) throw wrong('a request or a nonce is given without --proof')
  if (!proof) return undefined
  const [method = '', text = ''] = given
  const url = URL.parse(text)
  if (!/^[A-Z]+$/.test(method) || text === '') throw wrong('--proof wants a method such as GET and a URL')
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong(`${text} is not a URL`)
  return { method, url }
}

/** The edge knows itself by its issuer's URL, also where a request comes to it through the proxy. */
function proofOf({ profile }: Session, token: string, { method, url }: Asked, nonce: string | undefined) {
  const isProxy = url.origin === originOf(parseAddress(profile.proxy))
  const target = isProxy ? new URL(url.pathname, profile.issuer) : url
  return proofFor(profile.key, { method, target: target.origin + target.pathname, accessToken: token, nonce })
}
