/** How long something may still be answered, second by second. By the page's own clock: the reader's may be wrong. */
import { part } from './page.ts'

export function startCountdown(id: string, whenOver: () => void): void {
  const shown = part(id, HTMLElement)
  const end = performance.now() + Number(shown.dataset['seconds']) * 1000
  const tick = () => {
    const left = Math.max(Math.ceil((end - performance.now()) / 1000), 0)
    shown.textContent =
      left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} minutes` : 'None: it has expired'
    if (left > 0) return
    clearInterval(ticking)
    whenOver()
  }
  const ticking = setInterval(tick, 1000)
  tick()
}
