import { openSession } from '../api.ts'
import { browserOption, showPage } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { addTotp } from '../new-totp.ts'
import { Problem } from '../problem.ts'
import { formatOf, say, show } from '../term.ts'

export default command({
  doing: 'add what you sign in with',
  help: `Usage: sallyport mfa add [--type=passkey] [--no-browser]
       sallyport mfa add --type=totp [--name=NAME] [--no-browser] [--format=text|json|yaml]

A passkey or a security key is added on your account page, which this opens: you choose which,
tap one that you have, then make the new one. All of it happens in the browser, which alone can
speak to a passkey.

An authenticator app (--type=totp) is added here. You approve it with a tap in the browser; then
its key is shown, as a QR code where a terminal can show one and as text everywhere, and a code
of it is asked for. Its codes sign you in together with your password, where your cluster takes
both.

Options:
  --type=TYPE   passkey (security keys too), or totp for an authenticator app; passkey where it
                is not given
  --name=NAME   what you call the app, to tell it from others; "Authenticator app" where not given
  --no-browser  do not open a browser, only show the address of the page

Examples:
  sallyport mfa add
  sallyport mfa add --type=totp --name=Phone
`,
  options: { type: { type: 'string' }, name: { type: 'string' }, ...browserOption, ...formatOption },
  takes: [0, 0],
  run: async ({ type = 'passkey', name, profile, format: given, ...values }) => {
    const opensBrowser = !values['no-browser']
    if (type === 'totp') {
      const format = formatOf(given)
      const added = await addTotp(await openSession(profile), { name: name ?? 'Authenticator app', opensBrowser })
      await show(format, { kind: 'totp', name: added.name }, () =>
        say(`The authenticator app "${added.name}" is added.`),
      )
      return 'ok'
    }
    if (type !== 'passkey') throw new Problem('usage', `there is no type ${type}`, 'use --type=passkey or --type=totp')
    if (name !== undefined || given !== undefined) {
      throw new Problem(
        'usage',
        'a passkey gets its name on the page',
        'leave out --name and --format, or add --type=totp',
      )
    }
    const session = await openSession(profile)
    // The text box of the form: browsers scroll to it and put the cursor there.
    showPage({ toDo: 'add a passkey or a security key', page: `${session.profile.issuer}/account#name`, opensBrowser })
    say('A passkey or a security key is added there. To add an authenticator app here: sallyport mfa add --type=totp')
    say('See what you have then: sallyport mfa ls')
    return 'ok'
  },
})
