/** A link that an administrator hands to somebody: the key is made here, and its private half stands in the link alone. */
import { parseDuration } from '../core/access/duration.ts'
import type { AnswerOf } from '../core/api/operation.ts'
import type { operations } from '../core/api/operations.ts'
import type { Json } from '../core/intent.ts'
import { seconds } from '../core/model.ts'
import { Problem } from './problem.ts'
import { type Format, print, show } from './term.ts'
import { timestamp } from './times.ts'

/** Said even where it is the usual one: what is approved then names it. @throws Problem usage */
export function ttlOf(text: string): number {
  const duration = parseDuration(text)
  if (duration) return duration / seconds(1)
  throw new Problem('usage', `${text} is not a duration`, 'write it as 30m, 4h or 1h30m')
}

/** The private half stands in the fragment: no server, proxy or log sees it there. */
export async function showLink(
  format: Format,
  { name, invite, link, expires_at }: AnswerOf<typeof operations.userAdd>,
  privateHalf: string | undefined,
  more: Readonly<Record<string, Json>> = {},
): Promise<void> {
  const url = `${link}#${invite}.${privateHalf}`
  await show(format, { name, ...more, link: url, expires_at: timestamp(expires_at) }, () => print(url))
}
