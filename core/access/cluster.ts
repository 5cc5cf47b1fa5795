/** The cluster itself: what its trust begins with, and the keys that sign its tokens. */
import { recordingRefusals } from '../audit.ts'
import { newSigningKey, type SigningKeyState, stateOf } from '../issue/keyring.ts'
import type { Instant } from '../model.ts'
import type { Ports } from '../ports.ts'
import { actorOf, type Principal } from './principal.ts'

export interface ClusterStatus {
  readonly roots: readonly { readonly user: string; readonly name: string; readonly fingerprint: string }[]
  readonly keys: readonly { readonly kid: string; readonly state: SigningKeyState; readonly since: Instant }[]
}

export async function clusterStatus({
  credentials,
  signingKeys,
  keyring,
}: Pick<Ports, 'credentials' | 'signingKeys' | 'keyring'>): Promise<ClusterStatus> {
  // There are always two: whoever looks at a new cluster's keys makes them.
  await keyring.current()
  const [roots, keys] = await Promise.all([credentials.roots(), signingKeys.list()])
  return {
    roots,
    keys: keys.map((key) => ({
      kid: key.kid,
      state: stateOf(key),
      since: key.retiredAt ?? key.activatedAt ?? key.createdAt,
    })),
  }
}

type RotateNeeds = Pick<Ports, 'keys' | 'random' | 'now' | 'keyring' | 'signingKeys' | 'audit'>

/** @throws Refusal keys_rotated, token_invalid, role_missing */
export function rotateKeys(ports: RotateNeeds, principal: Principal): Promise<{ current: string; next: string }> {
  const { asking, user, session } = principal
  return recordingRefusals(ports, asking, 'keys.rotate', async () => {
    await ports.keyring.current()
    const rows = await ports.signingKeys.list()
    const [current, next] = rows.slice(-2)
    if (!current || !next) throw new TypeError('A cluster has a current and a next signing key')
    const added = await newSigningKey(ports, next.generation + 1, undefined)
    const who = { userId: user.id, sessionId: session.id, detail: { current: next.kid, next: added.kid } }
    const event = { at: ports.now(), kind: 'keys.rotate', outcome: 'done', asking, ...who } as const
    await ports.signingKeys.rotate(
      actorOf(principal, [{ resource: 'cert_authority', verb: 'rotate' }]),
      current.generation,
      added,
      event,
    )
    ports.keyring.forget()
    return { current: next.kid, next: added.kid }
  })
}
