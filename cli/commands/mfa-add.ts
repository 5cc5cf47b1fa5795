import { openSession } from '../api.ts'
import { browserOption, showPage } from '../browser.ts'
import { command } from '../command.ts'
import { say } from '../term.ts'

export default command({
  doing: 'add a passkey or a security key',
  help: `Usage: sallyport mfa add [--no-browser]

Opens your account page where a passkey or a security key is added: you choose which, tap one
that you have, then make the new one. All of it happens in the browser, which alone can speak
to a passkey.

Options:
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport mfa add
`,
  options: browserOption,
  takes: [0, 0],
  run: async (values) => {
    const { profile } = await openSession(values.profile)
    // The text box of the form: browsers scroll to it and put the cursor there.
    const page = `${profile.issuer}/account#name`
    showPage({ toDo: 'add a passkey or a security key', page, opensBrowser: !values['no-browser'] })
    say('See what you have then: sallyport mfa ls')
    return 'ok'
  },
})
