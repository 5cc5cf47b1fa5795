import { operations } from '../../core/api/operations.ts'
import { object, text } from '../../core/api/shape.ts'
import type { Json } from '../../core/intent.ts'
import { type Address, addressText, isLoopback, originOf, parseAddress } from '../address.ts'
import { call, sessionOf } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { signInHeadless } from '../headless.ts'
import { type Fetch, fetchThrough } from '../http.ts'
import { makeKey, notAnEdge, revoke, type SignedIn, signIn } from '../oauth.ts'
import { Problem } from '../problem.ts'
import { environment } from '../profile.ts'
import {
  nameOf,
  type Profile,
  profileVersion,
  readProfile,
  requireName,
  selectedName,
  useProfile,
  writeProfile,
} from '../profiles.ts'
import { say } from '../term.ts'
import { chooseTrust, requireTrusted, type Trust, type TrustFlags } from '../trust.ts'
import { showStatus, whoOf } from './status.ts'

export default command({
  doing: 'sign in',
  help: `Usage: sallyport login [--proxy=HOST:PORT] [options]

Signs in with a passkey in the browser, and keeps what was given in a profile. Without
--proxy it signs in again where the profile says. Signing in again ends the login before.

Options:
  --proxy=HOST:PORT  the proxy of the cluster; SALLYPORT_PROXY says the same. Port: 443
  --ca-file=FILE     trust only the CA certificates in FILE (PEM)
  --ca-pin=PIN       trust only the CA with this pin: "sallyport admin status" shows it
  --no-browser       do not open a browser, only show the address of the page
  --headless         on a machine without a browser: show a code to enter in a browser elsewhere.
                     A role must allow it. Such a login reaches resources and does nothing else

Examples:
  sallyport login --proxy=access.example.com
  sallyport login --proxy=localhost:3443 --profile=home
  sallyport login --proxy=access.example.com --headless
`,
  options: {
    proxy: { type: 'string' },
    'ca-file': { type: 'string' },
    'ca-pin': { type: 'string' },
    headless: { type: 'boolean' },
    ...browserOption,
  },
  takes: [0, 0],
  run: async (values) => {
    const { name, address, before } = target(values.profile, values.proxy)
    const ca = await trustFor(address, before, { caFile: values['ca-file'], caPin: values['ca-pin'] })
    const issuer = await issuerOf(fetchThrough(address, ca), address)
    const fetch = fetchThrough(address, ca, issuer)
    const key = await makeKey()
    const signedIn = values.headless
      ? await signInHeadless(fetch, issuer, key)
      : await signIn(fetch, issuer, key, !values['no-browser'])
    const session = await sessionOf(name, profileOf(address, ca, issuer, key, signedIn))
    const me = await call(session, operations.me, {})
    const profile = { ...session.profile, who: whoOf(me) }
    writeProfile(name, profile)
    useProfile(name)
    if (before) await endLogin(before)
    await showStatus('text', name, profile)
    return 'ok'
  },
})

/** Which profile, and where. A profile that cannot be read is refused here, before anything else happens. */
function target(profileFlag: string | undefined, proxyFlag: string | undefined) {
  const proxy = proxyFlag ?? environment().proxy
  const known = proxyFlag === undefined || profileFlag !== undefined ? selectedName(profileFlag) : undefined
  const address = proxy === undefined ? undefined : parseAddress(proxy)
  const named = profileFlag ?? environment().profile
  const name = named ?? (address ? nameOf(addressText(address)) : known)
  const before = name === undefined ? undefined : readProfile(requireName(name))
  if (name !== undefined && (address ?? before)) {
    return { name, address: address ?? parseAddress(before?.proxy ?? ''), before }
  }
  throw new Problem('usage', 'no proxy is given', 'sallyport login --proxy=HOST:PORT')
}

/** Where somebody signed in before, the same CA is wanted again, unless the flags say otherwise. */
async function trustFor(address: Address, before: Profile | undefined, flags: TrustFlags): Promise<Trust> {
  const isKnown = before?.proxy === addressText(address) && before.ca !== undefined
  if (!isKnown || flags.caFile !== undefined || flags.caPin !== undefined) {
    return chooseTrust(address, flags, environment().serverHome)
  }
  await requireTrusted(address, before.ca)
  return before.ca
}

const welcome = object({ issuer: text(2048) })

/** What the proxy says of its edge: an origin, and plain HTTP only for an edge on the machine itself. */
async function issuerOf(fetch: Fetch, address: Address): Promise<string> {
  const answer = await fetch(`${originOf(address)}/.well-known/sallyport`, { headers: { Accept: 'application/json' } })
  if (answer.status >= 502 && answer.status <= 504)
    throw new Problem('unreachable', 'the proxy does not reach its edge', 'try again in a moment')
  if (answer.status !== 200) throw notAnEdge(`status ${answer.status}`)
  const { issuer } = read((await answer.json().catch(() => null)) as Json)
  const url = URL.parse(issuer)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback({ host: bare(url), port: 0 }))
  if (!url || !isSafe || url.origin !== issuer) throw notAnEdge('it names no issuer')
  return issuer
}

const bare = (url: URL) => url.hostname.replace(/^\[|\]$/g, '')

function read(json: Json) {
  try {
    return welcome(json, 'answer')
  } catch {
    throw notAnEdge('it names no issuer')
  }
}

function profileOf(
  address: Address,
  ca: Trust,
  issuer: string,
  key: Profile['key'],
  { tokens, server }: SignedIn,
): Profile {
  const { token_endpoint = '', revocation_endpoint = '' } = server
  return {
    v: profileVersion,
    proxy: addressText(address),
    issuer,
    token_endpoint,
    revocation_endpoint,
    ca,
    key,
    tokens,
    who: { user: '', cluster: '', roles: [], via: undefined, auth_time: 0, valid_until: 0 },
  }
}

/** The login before has no key any more once its profile is replaced; ending it at the edge only tidies up. */
async function endLogin(before: Profile): Promise<void> {
  const fetch = fetchThrough(parseAddress(before.proxy), before.ca, before.issuer)
  await revoke(fetch, before).catch((error: Error) => {
    say(`The login before could not be ended at the edge (${error.message}). It ends by itself.`)
  })
}
