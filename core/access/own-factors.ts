/** What a user proves himself with, for a program that he is signed in with: listing, and removing one with a tap of another. */
import { type FactorKind, factorWords } from '../api/factor-kinds.ts'
import { recordingRefusals } from '../audit.ts'
import type { Totp } from '../factor-ports.ts'
import type { Attestation } from '../login/attestation.ts'
import { parseName } from '../login/name.ts'
import { requireStaying } from '../login/passkey-remove.ts'
import { providerOf } from '../login/providers.ts'
import { countsOf, requireWayIn, stayingOf } from '../login/second-factor.ts'
import { type Under, withSite } from '../login/with-preference.ts'
import type { Credential, Instant, Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Approved, type Request, standingEvent, withApproval } from './approved.ts'
import { linesOf, removedLines, titleLine } from './difference.ts'
import { ownPerson } from './own-totp.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Foreseen } from './subject.ts'

export interface Factor {
  readonly kind: FactorKind
  /** What a lock names. */
  readonly id: string
  readonly name: string
  /** Of a passkey: what make it says it is. */
  readonly make: string | undefined
  /** What was proven of that when it was registered. */
  readonly attestation: Attestation | undefined
  readonly synced: boolean | undefined
  readonly createdAt: Instant
  readonly lastUsedAt: Instant | undefined
}

export interface OwnFactors {
  readonly factors: readonly Factor[]
  /** Unused ones. */
  readonly recoveryCodes: number
}

/** @throws Refusal token_invalid */
export async function listFactors(ports: Pick<Ports, 'factors'>, principal: Principal): Promise<OwnFactors> {
  const { credentials, totps, recoveryCodes } = await ownPerson(ports, principal)
  return { factors: [...credentials.map(keyOf), ...totps.map(totpOf)], recoveryCodes }
}

const keyOf = ({ kind, id, name, aaguid, attestation, backedUp, createdAt, lastUsedAt }: Credential): Factor => ({
  ...{ kind, id, name, make: providerOf(aaguid), attestation, synced: backedUp, createdAt, lastUsedAt },
})

const totpOf = ({ id, name, createdAt, lastUsedAt }: Totp): Factor => ({
  ...{ kind: 'totp', id, name, make: undefined, attestation: undefined, synced: undefined, createdAt, lastUsedAt },
})

export interface Removal {
  readonly kind: FactorKind
  readonly name: string
}

type Foresight = Pick<Ports, 'credentials' | 'factors' | 'preferences'>

/** @throws Refusal name_invalid, passkey_unknown, last_passkey, totp_unknown, last_factor */
export function foreseeFactorRemoval(
  site: Site,
  ports: Foresight,
  principal: Principal,
  removal: Removal,
): Promise<Foreseen> {
  const foresee = removal.kind === 'totp' ? foreseeTotpRemoval : foreseeKeyRemoval
  return withSite(site, ports, (here, preference) => foresee(ports, principal, removal, { site: here, preference }))
}

async function foreseeKeyRemoval(
  { credentials }: Foresight,
  { user }: Principal,
  { kind, name }: Removal,
  under: Under,
): Promise<Foreseen> {
  const expected = expectedRemoval({ kind, name })
  const all = await credentials.of(user.id)
  const leaving = all.find((one) => one.kind === kind && one.name === name)
  if (!leaving) throw new Refusal('passkey_unknown', { user: user.id })
  // Whether there is a password, the batch knows.
  requireStaying(stayingOf(under), { leaving, all, hasPassword: true })
  const { fingerprint, mayVouch: may_vouch } = leaving
  const lines = removedLines(linesOf({ name, fingerprint, may_vouch }))
  const title = titleLine(`Removed: the ${factorWords[kind]}, and the sessions that it opened`)
  return { ...expected, revision: fingerprint, changes: [title, ...lines].join('\n') }
}

async function foreseeTotpRemoval(
  ports: Foresight,
  principal: Principal,
  removal: Removal,
  under: Under,
): Promise<Foreseen> {
  const expected = expectedRemoval(removal)
  const person = await ownPerson(ports, principal)
  const leaving = person.totps.find((one) => one.name === removal.name)
  if (!leaving) throw new Refusal('totp_unknown', { user: principal.user.id })
  requireWayIn(under, person, { totps: person.totps.length - 1 })
  const lines = removedLines(linesOf({ name: leaving.name, created_at: new Date(leaving.createdAt).toISOString() }))
  const title = titleLine(`Removed: the ${factorWords.totp}`)
  return { ...expected, revision: totpRevision(leaving), changes: [title, ...lines].join('\n') }
}

/** No passkey has such a fingerprint. */
const totpRevision = ({ id }: Pick<Totp, 'id'>): string => `totp ${id}`

const expectedRemoval = ({ kind, name }: Removal) =>
  ({
    summary: `Remove the ${factorWords[kind]} "${parseName(name)}"`,
    key: kind === 'totp' ? 'any' : 'another',
  }) as const

type RemovalNeeds = ApprovalNeeds & Pick<Ports, 'factors' | 'audit'>

/**
 * The tap names it by its revision too (of a passkey its fingerprint, of an app its id), and comes of another passkey than the one to
 * remove: it shows that the user can still get in.
 * @throws Refusal
 */
export function removeFactor(
  site: Site,
  ports: RemovalNeeds,
  principal: Principal,
  removal: Removal,
  request: Request,
): Promise<void> {
  const [remove, kind] =
    removal.kind === 'totp' ? [removeTotp, 'totp.remove' as const] : [removeKey, 'passkey.remove' as const]
  return recordingRefusals(ports, principal.asking, kind, () =>
    withApproval(site, ports, principal, 'factorRemove', request, expectedRemoval(removal), (approved, { under }) =>
      remove(ports, principal, removal, approved, request, under),
    ),
  )
}

async function removeKey(
  ports: RemovalNeeds,
  principal: Principal,
  { kind, name }: Removal,
  approved: Approved,
  request: Request,
  under: Under,
): Promise<void> {
  const { spend, tapped, revision } = approved
  const all = await ports.credentials.of(principal.user.id)
  const leaving = all.find((one) => one.kind === kind && one.name === name)
  if (!leaving) throw new Refusal('passkey_unknown', { user: principal.user.id })
  if (leaving.id === tapped.credentialId) {
    throw new Refusal('wrong_subject', { why: 'tapped with the passkey to remove', credential: leaving.id })
  }
  const event = standingEvent(ports, principal, approved, request, 'passkey.remove', { removed: name })
  const removing = { spend, tapped, credentialId: leaving.id, revision, staying: stayingOf(under), event }
  await ports.credentials.removeBy(actorOf(principal, []), removing)
}

/** @throws Refusal totp_unknown, last_factor */
async function removeTotp(
  ports: RemovalNeeds,
  principal: Principal,
  { name }: Removal,
  approved: Approved,
  request: Request,
  under: Under,
): Promise<void> {
  const { spend, tapped, revision } = approved
  const person = await ownPerson(ports, principal)
  // Another one may bear the name by now: what was tapped says which it is.
  const leaving = person.totps.find((one) => one.name === name && totpRevision(one) === revision)
  if (!leaving) throw new Refusal('totp_unknown', { user: principal.user.id })
  requireWayIn(under, person, { totps: person.totps.length - 1 })
  const event = standingEvent(ports, principal, approved, request, 'totp.remove', { removed: name })
  const effect = { kind: 'remove totp', id: leaving.id } as const
  await ports.factors.changeBy(actorOf(principal, []), {
    spend,
    tapped,
    was: countsOf(under.site, person),
    effect,
    event,
  })
}
