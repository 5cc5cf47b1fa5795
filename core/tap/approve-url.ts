/** Where a person approves what a program waits for. */
import type { Site } from '../model.ts'
import { isLoopbackRedirect } from '../oauth/clients.ts'
import { Refusal } from '../refusal.ts'

/** The page that shows a ticket. */
const approvePage = '/approve'

/** The page that shows a ticket, and where it sends the tap. @throws Refusal redirect_invalid */
export function approveUrl(
  { origin }: Site,
  ticket: string,
  { redirect_uri, state }: { readonly redirect_uri: string; readonly state: string },
): string {
  if (!isLoopbackRedirect(redirect_uri)) throw new Refusal('redirect_invalid')
  return `${origin}${approvePage}?${new URLSearchParams({ ticket, redirect_uri, state })}`
}
