/** A local proxy for one database, as `proxy db` and `db connect` start it. */
import type { DbProtocol } from '../core/access/db.ts'
import { printable } from '../core/access/place.ts'
import type { DbPrincipal } from '../core/access/resource.ts'
import { type LocalProxy, listenForBytes, listenForPostgres } from '../proxy/local.ts'
import { openSession } from './api.ts'
import { listening } from './local-proxy.ts'
import { principalFor } from './principal.ts'
import { Problem } from './problem.ts'
import { protocolOf, requireDatabase } from './resource.ts'
import { refusalFor, type SessionWanted, sessionOpener } from './session.ts'
import { debug } from './term.ts'

interface LocalWanted extends Omit<SessionWanted, 'profile' | 'resource' | 'failed'> {
  readonly name: string
  readonly profile: string | undefined
  readonly port: number
  /** As whom and where, if that is settled: clients may then ask for nothing else. */
  readonly principal: Partial<DbPrincipal>
  /** Hears of what did not open. */
  readonly failed: (problem: Problem, protocol: DbProtocol) => void
}

export interface LocalDatabase {
  readonly local: LocalProxy
  readonly protocol: DbProtocol
}

/**
 * The database and the login are asked for first: what is wrong is told before anything listens. Of Postgres each client says as whom it
 * comes; of others the bytes pass as they are, so it must be settled. @throws Problem
 */
export async function startDatabaseProxy({
  port,
  name,
  principal: settled,
  failed,
  ...more
}: LocalWanted): Promise<LocalDatabase> {
  const session = await openSession(more.profile)
  const found = await requireDatabase(session, name, more.impersonate)
  const protocol = protocolOf(found)
  // "config use" in another terminal must not change whom this one is.
  const wanted = { ...more, resource: { kind: 'db', name }, profile: session.name } as const
  const told = { ...wanted, failed: (problem: Problem) => failed(problem, protocol) }
  const opener = sessionOpener(told)
  if (protocol !== 'postgres') {
    const given = { 'db-user': settled.db_user, 'db-name': settled.db_name }
    const principal = principalFor(found, given, session.profile.who.user)
    const open = (gone: AbortSignal, ended: AbortSignal) => opener(principal, gone, ended)
    return { protocol, local: await listening(listenForBytes(port, { open, tell: debug })) }
  }
  const open = async (principal: DbPrincipal, gone: AbortSignal) => {
    const problem = whyNotSettled(settled, principal)
    return problem ? refusalFor(told, problem) : opener(principal, gone)
  }
  return { protocol, local: await listening(listenForPostgres(port, { open, tell: debug })) }
}

/** The tap would be for one principal, and the proxy would refuse the other: told before anybody taps. */
function whyNotSettled(settled: Partial<DbPrincipal>, { db_user, db_name }: DbPrincipal): Problem | undefined {
  const pairs = [
    ['user', '--db-user', settled.db_user, db_user],
    ['database', '--db-name', settled.db_name, db_name],
  ] as const
  for (const [what, flag, wanted, asked] of pairs) {
    if (wanted === undefined || wanted === asked) continue
    const shown = printable(asked)
    return new Problem(
      'usage',
      `this local proxy is for the ${what} ${wanted}, not ${shown}`,
      `Connect to ${wanted}, or start another one with ${flag}=${shown}.`,
    )
  }
  return undefined
}
