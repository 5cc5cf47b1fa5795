/** Browser sessions: reading the cookie, ending. They are opened by the ceremonies. */
import { recordingRefusals } from '../audit.ts'
import { fromBase64url } from '../lib/bytes.ts'
import { sha256 } from '../lib/hash.ts'
import type { ClientSessionId, SessionId } from '../model.ts'
import type { Caller, Ports, SessionClaim } from '../ports.ts'
import { Refusal } from '../refusal.ts'

/** `id.secret`. undefined: not of that form, so nobody's. */
export function parseSessionCookie(cookie: string): SessionClaim | undefined {
  const [id = '', secret = '', ...others] = cookie.split('.')
  const [idBytes, secretBytes] = [fromBase64url(id), fromBase64url(secret)]
  if (idBytes?.length !== 16 || secretBytes?.length !== 32 || others.length > 0) return undefined
  return { id: id as SessionId, secretHash: sha256(secretBytes) }
}

type EndNeeds = Pick<Ports, 'sessions' | 'audit' | 'now'>

/** Ends one of the user's own sessions. No tap: it only takes away, and the passkey brings it back. */
export function endSession(ports: EndNeeds, { asking, claim }: Caller, id: SessionId): Promise<void> {
  const kind = id === claim?.id ? 'logout' : 'session.end'
  return recordingRefusals(ports, asking, kind, async () => {
    if (!claim) throw new Refusal('session_missing')
    await ports.sessions.end(claim, id, { at: ports.now(), kind, outcome: 'done', asking, sessionId: id })
  })
}

/** Ends a login of one of the user's own programs. */
export function endClientSession(
  ports: Pick<Ports, 'clientSessions' | 'audit' | 'now'>,
  { asking, claim }: Caller,
  id: ClientSessionId,
): Promise<void> {
  return recordingRefusals(ports, asking, 'client.end', async () => {
    if (!claim) throw new Refusal('session_missing')
    const event = { at: ports.now(), kind: 'client.end', outcome: 'done', asking, sessionId: id } as const
    await ports.clientSessions.end(claim, id, event)
  })
}
