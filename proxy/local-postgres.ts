/**
 * What a Postgres client says to the local proxy before its session: perhaps SSLRequest and GSSENCRequest, which loopback does not need,
 * then the StartupMessage, which says as whom and where (DESIGN.md, "Databases").
 */
import type { Socket } from 'node:net'
import { concat } from '../core/lib/bytes.ts'
import { type Duration, seconds } from '../core/model.ts'
import {
  type PostgresReason,
  type PostgresStartup,
  parsePostgres,
  postgresError,
  postgresNo,
} from '../core/route/postgres.ts'

export type Preamble =
  /** `bytes`: the message, and whatever the client sent behind it. */
  | { readonly kind: 'startup'; readonly startup: PostgresStartup; readonly bytes: Uint8Array }
  /** Nothing is answered to who is no Postgres client. */
  | { readonly kind: 'refused'; readonly why: string; readonly answer?: Uint8Array }

const patience: Duration = seconds(10)

type Asked = 'ssl' | 'gssenc'
type Step = Preamble | { readonly kind: 'more' } | { readonly kind: 'no' }

/** Leaves the socket paused, with nothing lost. Never rejects. */
export function readPreamble(socket: Socket, within: Duration = patience): Promise<Preamble> {
  const { promise, resolve } = Promise.withResolvers<Preamble>()
  const asked = new Set<Asked>()
  let bytes = new Uint8Array()
  const end = (preamble: Preamble) => {
    clearTimeout(late)
    socket.off('data', read).off('end', gone).off('close', gone).pause()
    resolve(preamble)
  }
  const gone = () => end({ kind: 'refused', why: 'the client went away' })
  const late = setTimeout(() => end({ kind: 'refused', why: 'the client said too little in ten seconds' }), within)
  const read = (part: Uint8Array) => {
    bytes = concat(bytes, part)
    const step = nextStep(bytes, asked)
    if (step.kind === 'no') {
      bytes = new Uint8Array()
      socket.write(postgresNo)
    } else if (step.kind !== 'more') end(step)
  }
  socket.on('data', read).once('end', gone).once('close', gone)
  return promise
}

function nextStep(bytes: Uint8Array, asked: Set<Asked>): Step {
  const parsed = parsePostgres(bytes)
  if (parsed.kind === 'more') return { kind: 'more' }
  if (parsed.kind === 'invalid') return refusedFor(parsed.why)
  const { value: first, used } = parsed
  if (first.kind === 'startup') return { kind: 'startup', startup: first.startup, bytes }
  // The query's own session would want a new tap to be reached: the server does no more for a key that it does not know.
  if (first.kind === 'cancel') return { kind: 'refused', why: 'a query cannot be cancelled through the local proxy' }
  if (asked.has(first.kind)) return { kind: 'refused', why: `${first.kind} was asked for twice` }
  if (used < bytes.length) return { kind: 'refused', why: `bytes behind the request for ${first.kind}` }
  asked.add(first.kind)
  return { kind: 'no' }
}

/** Whoever got these right is a client that can read why. */
const told: Partial<Record<PostgresReason, string>> = {
  postgres_name_too_long: 'The name of the user or the database has more than 63 bytes.',
  postgres_not_text: 'The parameters of the connection are not UTF-8.',
  postgres_parameter_twice: 'A parameter of the connection is given twice.',
  postgres_user_missing: 'The connection names no user.',
  postgres_version: 'Sallyport speaks the versions 3.0 to 3.2 of the protocol.',
}

function refusedFor(why: PostgresReason): Preamble {
  const message = told[why]
  if (message === undefined) return { kind: 'refused', why }
  const state = why === 'postgres_version' ? 'notSupported' : 'protocolViolation'
  return { kind: 'refused', why, answer: postgresError(state, message) }
}
