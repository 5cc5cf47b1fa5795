/**
 * The logins behind certificates that open as often as they are shown. Whoever has copied such a file could show it after the login was
 * ended, so the edge is asked about each: before the first that is shown here opens anything, then with every question.
 */
import type { SessionGrant } from '../core/issue/grant.ts'
import { type ClientSessionId, type Duration, type Instant, minutes, seconds } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import { noLongerThan } from './no-longer.ts'
import type { Watched } from './trust.ts'

type Shown = Pick<SessionGrant, 'uses' | 'login'>

export interface CertificateLogins {
  /**
   * Asks, unless the grant counts its uses. Of an edge that is away nothing is learned: then the policy's own rules for that hold
   * (trust.ts), and the grant's life. One that does not answer is not waited for, and what has opened meanwhile is cut where it then says
   * that the login was ended. @throws Refusal session_refused: the login was ended
   */
  requireRunning(grant: Shown): Promise<void>
  /** By what was heard until now. @throws Refusal session_refused */
  requireNotEnded(grant: Shown): void
  readonly watched: Watched
}

interface Needs {
  readonly now: () => Instant
  /** Asks the edge once, after this call: whether it has answered. Never rejects. */
  readonly ask: () => Promise<boolean>
  /** Ends what certificates of that login have opened. */
  readonly cut: (login: ClientSessionId) => void
}

interface Asked {
  at: Instant
  readonly asked: Promise<boolean>
  /** Heard since it stands here. The first may be to a question that was on its way before. */
  answers: number
  /** It has opened something before any answer said that its login runs. */
  isUntold: boolean
}

/** A client waits this long for an edge that neither answers nor refuses. */
const patience: Duration = seconds(2)
/** Whose certificate was not shown for so long is asked about anew. */
const watchedFor: Duration = minutes(10)
/** Of the rest each next one is asked about anew. */
const mostWatched = 512
/** What is forgotten is learned again. */
const mostEnded = 4096

export function makeCertificateLogins({ now, ask, cut }: Needs): CertificateLogins {
  const shown = new Map<ClientSessionId, Asked>()
  const ended = new Set<ClientSessionId>()
  const forget = () => {
    for (const [login, { at }] of shown) {
      if (shown.size < mostWatched && now() - at < watchedFor) return
      shown.delete(login)
    }
  }
  const watch = (login: ClientSessionId): Asked => {
    forget()
    const known = shown.get(login)
    shown.delete(login)
    // It stands among those that are asked about before the question is written.
    const kept = known ?? { at: 0, asked: Promise.resolve().then(ask), answers: 0, isUntold: false }
    kept.at = now()
    shown.set(login, kept)
    return kept
  }
  const requireNotEnded = ({ uses, login }: Shown) => {
    if (uses.most === undefined && ended.has(login.id)) throw loginWasEnded()
  }
  return {
    requireRunning: async (grant) => {
      const { uses, login } = grant
      if (uses.most !== undefined) return
      if (!ended.has(login.id)) {
        const kept = watch(login.id)
        const isTold = (await noLongerThan(patience, kept.asked)) === true
        if (!isTold && kept.answers < 2) kept.isUntold = true
      }
      requireNotEnded(grant)
    },
    requireNotEnded,
    watched: {
      get logins() {
        return [...shown.keys()]
      },
      ended: ({ logins }) => {
        for (const [login, kept] of shown) {
          kept.answers += 1
          if (!logins.has(login)) {
            if (kept.answers > 1) kept.isUntold = false
            continue
          }
          shown.delete(login)
          if (ended.size === mostEnded) ended.clear()
          ended.add(login)
          if (kept.isUntold) cut(login)
        }
      },
    },
  }
}

function loginWasEnded(): Refusal {
  const told = 'The login that this certificate comes from was ended: sallyport login, then sallyport db login.'
  return new Refusal('session_refused', { why: 'login_over' }, { told })
}
