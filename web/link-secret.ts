/**
 * What stands in the fragment of a one-time link. It leaves the address bar at once: it would stand in the history, in what is
 * copied, and on screenshots. It is kept in this history entry, so that a reload still has it; closing the tab forgets it.
 */
export function takeSecret(): string {
  const kept = (history.state as { secret?: string } | null)?.secret
  const taken = location.hash.slice(1) || kept || ''
  history.replaceState({ secret: taken }, '', location.pathname)
  // The address has no fragment any more, so another link in the same tab is no new page for the browser.
  addEventListener('hashchange', () => location.reload())
  return taken
}

export const forgetSecret = (): void => history.replaceState(null, '', location.pathname)

/** Puts the template's content in its place; of the other template nothing stays. */
export function showTemplate(id: 'form' | 'dead', place: HTMLElement): void {
  const template = document.getElementById(id)
  if (!(template instanceof HTMLTemplateElement)) throw new TypeError(`The page has no template #${id}`)
  place.replaceChildren(template.content.cloneNode(true))
}

/** The link is dead: the page says so, and nothing of its form stays, not even as a template. */
export function showDead(asked: HTMLElement): void {
  forgetSecret()
  showTemplate('dead', asked)
  for (const id of ['form', 'dead']) document.getElementById(id)?.remove()
  document.getElementById('heading')?.focus()
}
