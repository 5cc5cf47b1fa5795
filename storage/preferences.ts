import { eq } from 'drizzle-orm'
import { type PreferenceDocument, preferenceKind } from '../core/access/auth-preference.ts'
import { type Preference, preferenceOf } from '../core/access/preference.ts'
import { type Instant, minutes } from '../core/model.ts'
import type { Preferences } from '../core/ports.ts'
import { documents } from './schema.ts'
import type { Store } from './store.ts'

/** What a page offers follows a change within this; who is let in follows it at once, by the batch. */
const keepFor = minutes(1)

/** The preference as this process read it last. */
export function preferencesPort({ db }: Store, now: () => Instant): Preferences {
  let copy: { readonly preference: Preference; readonly askedAt: Instant } | undefined
  const newest = async () => {
    const askedAt = now()
    const rows = await db
      .select({ document: documents.document })
      .from(documents)
      .where(eq(documents.kind, preferenceKind))
    const preference = preferenceOf(rows[0]?.document as PreferenceDocument | undefined)
    if (copy === undefined || askedAt >= copy.askedAt) copy = { preference, askedAt }
    return preference
  }
  const isFresh = (age: number) => age >= 0 && age < keepFor
  return {
    newest,
    current: async () => (copy && isFresh(now() - copy.askedAt) ? copy.preference : newest()),
  }
}
