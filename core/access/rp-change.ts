/**
 * A change of the relying party: a passkey works for the one that it was made for and for no other, so whose passkeys stop
 * working is told before.
 */
import { rpIdFits, rpIdsOf, siteUnder } from '../login/relying-party.ts'
import type { Site } from '../model.ts'
import type { PasskeysInUse, Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import type { PreferenceDocument } from './auth-preference.ts'
import type { Document } from './document.ts'
import { preferenceOf } from './preference.ts'

export interface Lost {
  readonly user: string
  readonly passkeys: number
}

interface Change {
  /** What is there; without a preference in it the defaults hold. */
  readonly before: readonly Document[]
  readonly wanted: readonly Document[]
  readonly force: boolean
}

/**
 * Whose passkeys stop working: of nobody, or it is forced. Never of all who may administer the cluster.
 * @throws Refusal rp_id_unfit, passkeys_lost, nobody_left
 */
export async function requireKept(
  site: Site,
  { credentials }: Pick<Ports, 'credentials'>,
  { before, wanted, force }: Change,
): Promise<readonly Lost[]> {
  const after = wanted.find(isPreference)
  if (!after) return []
  const [old, here] = [siteWith(site, before.find(isPreference)), siteWith(site, after)]
  requireFit(site, after)
  const dropped = rpIdsOf(old).filter((id) => !rpIdsOf(here).includes(id))
  if (dropped.length === 0) return []
  const inUse = await credentials.inUse()
  const lost = lostOf(inUse, dropped)
  if (lost.length > 0 && !inUse.some(({ rpId, mayVouch }) => mayVouch && rpIdsOf(here).includes(rpId)))
    throw new Refusal('nobody_left', { rp_id: here.rpId }, { told: toldOf(lost, here) })
  if (lost.length > 0 && !force) throw new Refusal('passkeys_lost', { rp_id: here.rpId }, { told: toldOf(lost, here) })
  return lost
}

const isPreference = (document: Document): document is PreferenceDocument => document.kind === 'cluster_auth_preference'

const siteWith = (site: Site, document: PreferenceDocument | undefined) => siteUnder(site, preferenceOf(document))

function requireFit(site: Site, document: PreferenceDocument): void {
  const { rpId = site.rpId, formerRpIds, relatedOrigins } = preferenceOf(document)
  const unfit = [rpId, ...formerRpIds].find((id) => !rpIdFits(site, id, relatedOrigins))
  if (unfit !== undefined)
    throw new Refusal('rp_id_unfit', { rp_id: unfit }, { told: `No browser on ${site.origin} takes ${unfit}.` })
}

function lostOf(inUse: readonly PasskeysInUse[], dropped: readonly string[]): readonly Lost[] {
  const byUser = Map.groupBy(
    inUse.filter(({ rpId }) => dropped.includes(rpId)),
    ({ user }) => user,
  )
  return [...byUser].map(([user, rows]) => ({ user, passkeys: rows.reduce((sum, { count }) => sum + count, 0) }))
}

const mostNamed = 20

function toldOf(lost: readonly Lost[], { rpId }: Site): string {
  const named = lost.slice(0, mostNamed).map(({ user, passkeys }) => `${user} (${passkeys})`)
  const others = lost.length - named.length
  const whose = others > 0 ? `${named.join(', ')} and ${others} more` : named.join(', ')
  return `With the relying party ${rpId} these passkeys stop working: ${whose}.`
}
