/**
 * A proxy's thinking in a process of its own: each line of stdin is a snapshot as the edge made it and a session that is asked for, each
 * line of stdout what was decided. It has nothing of the edge but those lines.
 */
import process from 'node:process'
import { createInterface } from 'node:readline'
import { type OpenedSession, requireAllowed } from '../../../core/access/open-session.ts'
import type { Json, SessionSubject } from '../../../core/intent.ts'
import type { FactorId, Holder, Instant, SessionId, UserId } from '../../../core/model.ts'
import { Refusal } from '../../../core/refusal.ts'
import { knownOf, readSnapshot } from '../../../proxy/known.ts'

export interface Question {
  readonly snapshot: Json
  readonly user: string
  readonly ask: Pick<SessionSubject, 'resource' | 'principal'> & {
    readonly impersonated: SessionSubject['impersonated'] | undefined
  }
  readonly now: Instant
}

export interface Decided {
  readonly outcome: 'allow' | 'refuse'
  readonly because?: string
  readonly constraints?: OpenedSession['constraints']
  readonly rules: string
}

function decided({ snapshot, user, ask, now }: Question): Decided {
  const { impersonated, ...on } = ask
  const whose = impersonated && { impersonated }
  const subject = { ...on, ...whose, client_key: 'k' as Holder, proxy: { id: 'here', boot: 'b' }, address: '192.0.2.1' }
  const login = { id: 'l' as SessionId, factor: 'f' as FactorId, expiresAt: now + 1 }
  const grant = { user: user as UserId, login, subject, tap: undefined } as unknown as Parameters<
    typeof requireAllowed
  >[1]
  try {
    const { constraints, trace } = requireAllowed(knownOf(readSnapshot(snapshot)), grant, {
      address: subject.address,
      now,
    })
    return { outcome: 'allow', constraints, rules: trace().join('; ') }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { why, trace } = error.detail
    return { outcome: 'refuse', because: String(why), rules: String(trace) }
  }
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(decided(JSON.parse(line) as Question))}\n`)
