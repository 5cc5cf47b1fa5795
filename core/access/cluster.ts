/** The cluster itself: what its trust begins with, and the keys that sign its tokens. */
import { recordingRefusals } from '../audit.ts'
import { newSigningKey, type SigningKeyState, stateOf } from '../issue/keyring.ts'
import type { Instant, Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import type { StoredSigningKey } from '../token-ports.ts'
import { type ApprovalNeeds, type Request, standingEvent, withStanding } from './approved.ts'
import { addedLines, linesOf, removedLines, titleLine } from './difference.ts'
import type { Principal } from './principal.ts'
import type { Foreseen } from './subject.ts'

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

type RotateNeeds = ApprovalNeeds & Pick<Ports, 'random' | 'keyring' | 'signingKeys' | 'audit'>

/** What a rotation begins with. */
export async function foreseeRotation(ports: Pick<Ports, 'keyring' | 'signingKeys'>): Promise<Foreseen> {
  const { current, next } = await lastKeys(ports)
  return rotationOf(current, next)
}

function rotationOf({ kid: current }: StoredSigningKey, { kid: next }: StoredSigningKey): Foreseen {
  const changes = [
    titleLine('Signing keys'),
    ...removedLines(linesOf({ signs: current })),
    ...addedLines(linesOf({ signs: next })),
  ]
  return { summary: 'Rotate the signing keys', revision: current, changes: changes.join('\n'), key: 'vouching' }
}

async function lastKeys({ keyring, signingKeys }: Pick<Ports, 'keyring' | 'signingKeys'>) {
  await keyring.current()
  const [current, next] = (await signingKeys.list()).slice(-2)
  if (!current || !next) throw new TypeError('A cluster has a current and a next signing key')
  return { current, next }
}

/** @throws Refusal keys_rotated, token_invalid, role_missing */
export function rotateKeys(
  site: Site,
  ports: RotateNeeds,
  principal: Principal,
  request: Request,
): Promise<{ current: string; next: string }> {
  return recordingRefusals(ports, principal.asking, 'keys.rotate', async () => {
    const { current, next } = await lastKeys(ports)
    const expected = rotationOf(current, next)
    return withStanding(site, ports, principal, 'keysRotate', request, expected, async ({ actor, approved }) => {
      const added = await newSigningKey(ports, next.generation + 1, undefined)
      const detail = { current: next.kid, next: added.kid }
      const event = standingEvent(ports, principal, approved, request, 'keys.rotate', detail)
      await ports.signingKeys.rotate(actor, current.generation, added, event)
      ports.keyring.forget()
      return detail
    })
  })
}
