/** Buttons that show what is typed into the password's box before them, and hide it again. */
export function startShowing(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-shows]')) {
    const input = button.previousElementSibling
    if (!(input instanceof HTMLInputElement)) continue
    const show = (isShown: boolean) => {
      input.type = isShown ? 'text' : 'password'
      button.setAttribute('aria-pressed', String(isShown))
    }
    button.addEventListener('click', () => show(input.type === 'password'))
    // What is sent as text, browsers would remember as text.
    input.form?.addEventListener('submit', () => show(false))
  }
}
