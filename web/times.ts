/** Instants in the reader's own time zone and habit. */

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const nearDays: Readonly<Record<number, string>> = { [-1]: 'yesterday', 0: 'today', 1: 'tomorrow' }

const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()

/** A day with a change of the clock is 23 or 25 hours long, hence the rounding. */
const daysBetween = (from: Date, to: Date) => Math.round((midnight(to) - midnight(from)) / 86_400_000)

export function showTime(element: HTMLTimeElement, at: Date): void {
  const now = new Date()
  const date = at.getFullYear() === now.getFullYear() ? day : dayOfYear
  element.dateTime = at.toISOString()
  element.textContent = `${nearDays[daysBetween(now, at)] ?? date.format(at)}, ${clock.format(at)}`
  element.title = exact.format(at)
}

export function localizeTimes(): void {
  // One without an instant is for a script to fill.
  for (const element of document.querySelectorAll<HTMLTimeElement>('time[datetime]'))
    showTime(element, new Date(element.dateTime))
}
