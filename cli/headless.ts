/** Signing in on a machine without a browser (RFC 8628): a code is shown here and answered in a browser elsewhere. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeviceAuthorizationResponse } from 'oauth4webapi'
import { pageOf } from './browser.ts'
import type { Fetch } from './http.ts'
import {
  beginDeviceFlow,
  type DeviceAnswer,
  discover,
  dpopHandle,
  type Key,
  pollDeviceFlow,
  type SignedIn,
} from './oauth.ts'
import { Problem } from './problem.ts'
import { say } from './term.ts'
import { endOfWaiting } from './waiting.ts'

/** RFC 8628 section 3.2, where the answer does not say. */
const usualInterval = 5
/** Whatever the edge says: nobody waits longer. */
const longestWait = 3600

/** @throws Interrupted on Ctrl-C; Problem refused where the person says no, failed when the code is over */
export async function signInHeadless(fetch: Fetch, issuer: string, key: Key): Promise<SignedIn> {
  const server = await discover(fetch, issuer)
  const dpop = await dpopHandle(key)
  const asked = await beginDeviceFlow(fetch, server, dpop)
  const life = Math.min(asked.expires_in, longestWait)
  tell(issuer, asked, life)
  const end = endOfWaiting({ ms: life * 1000, over: 'nobody answered while the code was good' })
  try {
    const ask = () => pollDeviceFlow(fetch, server, dpop, asked.device_code, end.signal)
    const tokens = await Promise.race([poll(ask, asked.interval ?? usualInterval, end.signal), end.reached])
    return { tokens, server }
  } finally {
    end.forget()
  }
}

function tell(issuer: string, asked: DeviceAuthorizationResponse, life: number): void {
  const { user_code: code, verification_uri: page, verification_uri_complete: whole } = asked
  say('To sign in, open this page in a browser on a machine that has one:')
  say(pageOf(issuer, page))
  say(`and enter this code, which is good for ${Math.round(life / 60)} minutes:`)
  say(code)
  if (whole !== undefined) {
    say('Or open this page, and compare the code that it shows:')
    say(pageOf(issuer, whole))
  }
}

/** RFC 8628 section 3.5: seconds until the next poll. An edge that is away is asked more and more seldom. */
const nextWait: Readonly<Record<Exclude<DeviceAnswer, object> | 'away', (seconds: number) => number>> = {
  authorization_pending: (seconds) => seconds,
  slow_down: (seconds) => seconds + 5,
  away: (seconds) => seconds * 2,
}

async function poll(ask: () => Promise<DeviceAnswer>, interval: number, signal: AbortSignal) {
  for (let seconds = interval; ; ) {
    await sleep(seconds * 1000, undefined, { signal })
    const answer = await ask().catch(away)
    if (typeof answer === 'object') return answer
    seconds = nextWait[answer](seconds)
  }
}

function away(error: unknown): 'away' {
  if (!(error instanceof Problem && error.exit === 'unreachable')) throw error
  say(`${error.message}: trying again`)
  return 'away'
}
