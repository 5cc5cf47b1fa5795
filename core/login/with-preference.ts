/** Ceremonies under the cluster's preference: judged by what this process knows of it, and let in only by the newest. */
import type { Preference } from '../access/preference.ts'
import type { Site } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import { siteUnder } from './relying-party.ts'

/**
 * What a preference decides: under another one it may be otherwise. Not what is refused only of passkeys that are known: to read
 * anew would tell which are.
 */
const decidedByIt: ReadonlySet<RefusalCode> = new Set([
  'preference_changed',
  'passwordless_off',
  'passkeys_elsewhere',
  'attestation_refused',
  'passwords_off',
  'codes_off',
  'tap_missing',
  'login_too_old',
])

/**
 * Runs `work` with the preference: the one in memory, which saves a round trip, and the batch confirms its revision. What is
 * refused because of it is tried once more with the newest, so an old copy keeps nobody out either. (Whatever was refused has
 * written nothing.)
 */
export async function withPreference<T>(
  { preferences }: Pick<Ports, 'preferences'>,
  work: (preference: Preference) => Promise<T>,
): Promise<T> {
  const known = await preferences.current()
  try {
    return await work(known)
  } catch (error) {
    if (!(error instanceof Refusal) || !decidedByIt.has(error.code)) throw error
    const newest = await preferences.newest()
    if (newest.revision === known.revision && error.code !== 'preference_changed') throw error
    return work(newest)
  }
}

/** The same with the site as the preference has it. */
export const withSite = <T>(
  site: Site,
  ports: Pick<Ports, 'preferences'>,
  work: (here: Site, preference: Preference) => Promise<T>,
): Promise<T> => withPreference(ports, (preference) => work(siteUnder(site, preference), preference))
