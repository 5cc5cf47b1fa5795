/** What a user proves himself with, for a program that he is signed in with: listing, and removing one with a tap of another. */
import type { FactorKind } from '../api/factor-kinds.ts'
import { recordingRefusals } from '../audit.ts'
import { parseName } from '../login/name.ts'
import { othersThan } from '../login/passkey-remove.ts'
import { providerOf } from '../login/providers.ts'
import type { Credential, Instant, Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Request, standingEvent, withApproval } from './approved.ts'
import { linesOf, removedLines, titleLine } from './difference.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Foreseen } from './subject.ts'

export interface Factor {
  readonly kind: FactorKind
  readonly name: string
  /** What make it says it is. */
  readonly make: string | undefined
  readonly synced: boolean | undefined
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

export async function listFactors({ credentials }: Pick<Ports, 'credentials'>, { user }: Principal) {
  return (await credentials.of(user.id)).map(factorOf)
}

const factorOf = ({ name, aaguid, backedUp, createdAt, lastUsedAt }: Credential): Factor => ({
  kind: 'passkey',
  name,
  make: providerOf(aaguid),
  synced: backedUp,
  createdAt,
  lastUsedAt,
})

/** @throws Refusal name_invalid, passkey_unknown, last_passkey */
export async function foreseeFactorRemoval(
  { credentials }: Pick<Ports, 'credentials'>,
  { user }: Principal,
  { name }: { readonly name: string },
): Promise<Foreseen> {
  const expected = expectedRemoval(name)
  const all = await credentials.of(user.id)
  const leaving = all.find((one) => one.name === name)
  if (!leaving) throw new Refusal('passkey_unknown', { user: user.id })
  if (othersThan(leaving, all).length === 0) throw new Refusal('last_passkey', { user: user.id })
  const { fingerprint, mayVouch: may_vouch } = leaving
  const lines = removedLines(linesOf({ name, fingerprint, may_vouch }))
  const changes = [titleLine('Removed: the passkey, and the sessions that it opened'), ...lines].join('\n')
  return { ...expected, revision: fingerprint, changes }
}

const expectedRemoval = (name: string) =>
  ({ summary: `Remove the passkey "${parseName(name)}"`, key: 'another' }) as const

/**
 * The tap names the passkey by its fingerprint too (its revision), and comes of another one: it shows that the user can still get in.
 * @throws Refusal
 */
export function removeFactor(
  site: Site,
  ports: ApprovalNeeds & Pick<Ports, 'audit'>,
  principal: Principal,
  { name }: { readonly name: string },
  request: Request,
): Promise<void> {
  return recordingRefusals(ports, principal.asking, 'passkey.remove', () =>
    withApproval(site, ports, principal, 'factorRemove', request, expectedRemoval(name), async (approved) => {
      const { spend, tapped, revision } = approved
      const leaving = (await ports.credentials.of(principal.user.id)).find((one) => one.name === name)
      if (!leaving) throw new Refusal('passkey_unknown', { user: principal.user.id })
      if (leaving.id === tapped.credentialId) {
        throw new Refusal('wrong_subject', { why: 'tapped with the passkey to remove', credential: leaving.id })
      }
      const event = standingEvent(ports, principal, approved, request, 'passkey.remove', { removed: name })
      const removing = { spend, tapped, credentialId: leaving.id, revision, event }
      await ports.credentials.removeBy(actorOf(principal, undefined), removing)
    }),
  )
}
