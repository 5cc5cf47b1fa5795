/**
 * The logins behind certificates that open as often as they are shown. Whoever has copied such a file could show it after the login was
 * ended, so the edge is asked about each: before the first that is shown here opens anything, then with every question.
 */
import { type ClientSessionId, type Duration, type Instant, minutes } from '../core/model.ts'
import { Refusal } from '../core/refusal.ts'
import type { Watched } from './trust.ts'

export interface CertificateLogins {
  /**
   * Of an edge that is away nothing is learned: then the policy's own rules for that hold (trust.ts), and the grant's life.
   * @throws Refusal session_refused: the login was ended
   */
  requireRunning(login: ClientSessionId): Promise<void>
  readonly watched: Watched
}

interface Needs {
  readonly now: () => Instant
  /** Asks the edge once, after this call; never rejects. */
  readonly ask: () => Promise<void>
}

/** Whose certificate was not shown for so long is asked about anew. */
const watchedFor: Duration = minutes(10)
/** Of the rest each next one is asked about anew. */
const mostWatched = 512
/** What is forgotten is learned again. */
const mostEnded = 4096

export function makeCertificateLogins({ now, ask }: Needs): CertificateLogins {
  const shown = new Map<ClientSessionId, { readonly at: Instant; readonly asked: Promise<void> }>()
  const ended = new Set<ClientSessionId>()
  const forget = () => {
    for (const [login, { at }] of shown) {
      if (shown.size < mostWatched && now() - at < watchedFor) return
      shown.delete(login)
    }
  }
  const watch = (login: ClientSessionId): Promise<void> => {
    forget()
    const known = shown.get(login)
    shown.delete(login)
    // It stands among those that are asked about before the question is written.
    const kept = { at: now(), asked: known?.asked ?? Promise.resolve().then(ask) }
    shown.set(login, kept)
    return kept.asked
  }
  return {
    requireRunning: async (login) => {
      if (!ended.has(login)) await watch(login)
      if (ended.has(login)) throw loginWasEnded()
    },
    watched: {
      get logins() {
        return [...shown.keys()]
      },
      ended: ({ logins }) => {
        for (const login of logins) {
          if (!shown.delete(login)) continue
          if (ended.size === mostEnded) ended.clear()
          ended.add(login)
        }
      },
    },
  }
}

function loginWasEnded(): Refusal {
  const told = 'The login that this certificate comes from was ended: sallyport login, then sallyport db login.'
  return new Refusal('session_refused', { why: 'login_over' }, { told })
}
