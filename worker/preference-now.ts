import type { Preference } from '../core/access/preference.ts'
import type { Edge } from './edge.ts'

/** What the cluster says about logins, for one request: every route asks here. */
export const preferenceNow = async ({ preference }: Edge): Promise<Preference> => preference
