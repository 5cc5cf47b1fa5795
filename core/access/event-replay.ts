/** What an audit event says of its decision: read out of the row, so that it is what was decided then, whatever roles say by now. */
import { type Json, membersOf } from '../intent.ts'
import type { Ports, RecordedEvent } from '../ports.ts'
import { Refusal, remedyFor } from '../refusal.ts'
import { may, type Principal } from './principal.ts'

export interface Replay {
  readonly event: RecordedEvent
  readonly because: string | undefined
  readonly rules: readonly string[]
  /** As the person was told; of a code without words for him, what is told of that code. */
  readonly told: string | undefined
}

/**
 * Those of one number, or of one request. Who may read the log reads all of it, everybody else what was decided on sessions of his own:
 * of logins outsiders learn one word, and whoever has got hold of a token must not learn which of his guesses was right.
 * @throws Refusal event_unknown
 */
export async function replayEvents(
  { audit }: Pick<Ports, 'audit'>,
  principal: Principal,
  id: string,
): Promise<readonly Replay[]> {
  const isAuditor = may(principal, { resource: 'event', verb: 'list' })
  const all = await audit.find(id, isAuditor ? undefined : principal.user.id)
  const found = all.filter(({ kind }) => isAuditor || kind.startsWith('session.'))
  if (found.length === 0) throw new Refusal('event_unknown', { user: principal.user.id })
  return found.map(replayOf)
}

export function replayOf(event: RecordedEvent): Replay {
  const { detail = {}, code } = event
  const said = { ...detail, ...saidBy(detail['said']) }
  const rules = text(said['trace']) ?? text(said['rules']) ?? ''
  const told = text(said['told']) ?? (code === undefined ? undefined : remedyFor(code))
  return {
    event,
    because: text(said['why']),
    rules: rules === '' ? [] : rules.split('; '),
    told: told === '' ? undefined : told,
  }
}

/** What a proxy told of a session: JSON, which may have been cut. */
function saidBy(said: Json | undefined): { readonly [name: string]: Json | undefined } {
  if (typeof said !== 'string') return {}
  try {
    return membersOf(JSON.parse(said) as Json)
  } catch {
    return {}
  }
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
