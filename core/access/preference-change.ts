/**
 * A change of how people log in may take away what they log in with: a passkey works for the relying party that it was made for and
 * for no other, and who has no password is out where a passkey alone is not enough. Whom that hits is told before.
 */
import type { PasswordHolder } from '../factor-ports.ts'
import { rpIdFits, rpIdsOf, siteUnder } from '../login/relying-party.ts'
import { canSignIn } from '../login/second-factor.ts'
import type { CredentialKind, Site } from '../model.ts'
import type { PasskeysInUse, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { PreferenceDocument } from './auth-preference.ts'
import type { Document } from './document.ts'
import { type Preference, preferenceOf } from './preference.ts'

/** What goes, of whom. */
export interface Taken {
  /** Passkeys that stop working. */
  readonly lost: readonly { readonly user: string; readonly passkeys: number }[]
  /** Who could sign in before and can no more. */
  readonly shut_out: readonly string[]
}

export const nothingTaken: Taken = { lost: [], shut_out: [] }

interface Change {
  /** What is there; without a preference in it the defaults hold. */
  readonly before: readonly Document[]
  readonly wanted: readonly Document[]
  readonly force: boolean
  /** The name of whoever asks for it. */
  readonly caller: string
}

/**
 * Nothing goes, of nobody, or it is forced. Never the way in of all who may administer the cluster.
 * @throws Refusal rp_id_unfit, passkeys_lost, ways_lost, nobody_left
 */
export async function requireKept(
  site: Site,
  { credentials, factors }: Pick<Ports, 'credentials' | 'factors'>,
  { before, wanted, force, caller }: Change,
): Promise<Taken> {
  const document = wanted.find(isPreference)
  if (!document) return nothingTaken
  const [old, next] = [lawOf(site, before.find(isPreference)), lawOf(site, document)]
  requireFit(site, next)
  const people = peopleOf(await credentials.inUse(), await factors.withPassword())
  const lost = lostOf(people, old, next)
  const out = people.filter((person) => maySignIn(old, person) && !maySignIn(next, person))
  const taken = { lost, shut_out: out.map(({ user }) => user) }
  if (lost.length === 0 && out.length === 0) return taken
  const [detail, told] = [{ rp_id: next.rpId }, { told: toldOf(taken, next, caller) }]
  if (!people.some((person) => mayAdmit(next, person) && maySignIn(next, person)))
    throw new Refusal('nobody_left', detail, told)
  if (!force) throw new Refusal(lost.length > 0 ? 'passkeys_lost' : 'ways_lost', detail, told)
  return taken
}

const isPreference = (document: Document): document is PreferenceDocument => document.kind === 'cluster_auth_preference'

/** A preference, and the relying parties whose passkeys work under it. */
interface Law {
  readonly preference: Preference
  readonly rpId: string
  readonly rpIds: readonly string[]
}

function lawOf(site: Site, document: PreferenceDocument | undefined): Law {
  const preference = preferenceOf(document)
  const here = siteUnder(site, preference)
  return { preference, rpId: here.rpId, rpIds: rpIdsOf(here) }
}

function requireFit(site: Site, { preference: { rpId = site.rpId, formerRpIds, relatedOrigins } }: Law): void {
  const unfit = [rpId, ...formerRpIds].find((id) => !rpIdFits(site, id, relatedOrigins))
  if (unfit !== undefined)
    throw new Refusal('rp_id_unfit', { rp_id: unfit }, { told: `No browser on ${site.origin} takes ${unfit}.` })
}

interface Holder {
  readonly user: string
  readonly passkeys: readonly PasskeysInUse[]
  readonly password: boolean
  readonly totps: number
}

/** Everybody who has anything to sign in with, by name. */
function peopleOf(inUse: readonly PasskeysInUse[], holders: readonly PasswordHolder[]): readonly Holder[] {
  const passkeys = Map.groupBy(inUse, ({ user }) => user)
  const passwords = new Map(holders.map((holder) => [holder.user, holder]))
  const names = new Set([...passkeys.keys(), ...passwords.keys()])
  return [...names].map((user) => ({
    user,
    passkeys: passkeys.get(user) ?? [],
    password: passwords.has(user),
    totps: passwords.get(user)?.totps ?? 0,
  }))
}

const working = ({ rpIds }: Law, { passkeys }: Holder) => passkeys.filter(({ rpId }) => rpIds.includes(rpId))
const sum = (passkeys: readonly PasskeysInUse[]) => passkeys.reduce((total, { count }) => total + count, 0)

function maySignIn(law: Law, person: Holder): boolean {
  const usable = working(law, person)
  const [passkeys, securityKeys] = [ofKind(usable, 'passkey'), ofKind(usable, 'security_key')]
  return canSignIn(law.preference, { ...person, passkeys, securityKeys })
}

const ofKind = (usable: readonly PasskeysInUse[], kind: CredentialKind): number =>
  sum(usable.filter((one) => one.kind === kind))

const mayAdmit = (law: Law, person: Holder): boolean => working(law, person).some(({ mayVouch }) => mayVouch)

const lostOf = (people: readonly Holder[], old: Law, next: Law): Taken['lost'] =>
  people
    .map((person) => {
      const stays = working(next, person)
      return { user: person.user, passkeys: sum(working(old, person).filter((one) => !stays.includes(one))) }
    })
    .filter(({ passkeys }) => passkeys > 0)

const mostNamed = 20

function toldOf({ lost, shut_out: out }: Taken, { rpId }: Law, caller: string): string {
  const passkeys = named(lost.map(({ user, passkeys }) => `${user} (${passkeys})`))
  const count = out.length === 1 ? 'one person' : `${out.length} people`
  // Whoever asks for it hears of himself first.
  const others = out.filter((user) => user !== caller)
  const people = named(others.length < out.length ? [`you yourself (${caller})`, ...others] : others)
  return [
    ...(lost.length > 0 ? [`With the relying party ${rpId} these passkeys stop working: ${passkeys}.`] : []),
    ...(out.length > 0 ? [`With that ${count} could not sign in any more: ${people}.`] : []),
  ].join(' ')
}

function named(all: readonly string[]): string {
  const first = all.slice(0, mostNamed).join(', ')
  return all.length > mostNamed ? `${first} and ${all.length - mostNamed} more` : first
}
