import type { Status } from './page.ts'

export async function copyWith(button: HTMLButtonElement, status: Status, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    status.say('Copied.')
  } catch {
    status.warn('The browser did not let this page copy. Select the text and copy it yourself.')
  }
  button.focus()
}
