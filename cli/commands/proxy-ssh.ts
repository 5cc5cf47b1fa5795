import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { impersonateOption, principalFor } from '../principal.ts'
import { Interrupted, type Problem } from '../problem.ts'
import { requireResource } from '../resource.ts'
import { sessionOpener } from '../session.ts'
import { SharedTap } from '../shared-tap.ts'
import { joinStandard, type Opening } from '../standard-streams.ts'
import { standardStreams } from '../term.ts'

export default command({
  doing: 'reach the host',
  help: `Usage: sallyport proxy ssh NAME [--login=LOGIN] [options]

Joins standard input and output to a session on the node NAME: the ProxyCommand of ssh, scp, sftp,
rsync and git. Where a role wants a tap, a page opens first. All else that is said stands on
stderr.

The host's own sign-in decides as ever, with your key, and ssh knows the host by NAME.

Options:
  --login=LOGIN       as whom: what your roles allow, and what the tap approves
  --impersonate=USER  with the rights of this user, where a role of yours lets you act as him
  --no-browser        do not open a browser, only show the address of the page

Examples:
  sallyport proxy ssh web-1 --login=ubuntu
  ssh -o ProxyCommand="sallyport proxy ssh %h --login=%r" ubuntu@web-1
  scp -o ProxyCommand="sallyport proxy ssh %h --login=%r" notes.txt ubuntu@web-1:
`,
  options: { login: { type: 'string' }, ...impersonateOption, ...browserOption },
  takes: [1, 1],
  run: async (values, [name = '']) => {
    const session = await openSession(values.profile)
    const { impersonate } = values
    const target = { kind: 'node', name } as const
    const resource = await requireResource(session, target, impersonate)
    const principal = principalFor(resource, values, impersonate ?? session.profile.who.user)
    const failures: Problem[] = []
    const opener = sessionOpener({
      resource: target,
      impersonate,
      profile: session.name,
      opensBrowser: !values['no-browser'],
      failed: (problem) => failures.push(problem),
      shared: new SharedTap(),
    })
    const open = async ({ gone, ended }: Opening) => {
      const opened = await opener(principal, gone, ended)
      if (opened.kind === 'tunnel') return opened.stream
      throw failures[0] ?? goneAway()
    }
    await joinStandard(standardStreams(), open)
    return 'ok'
  },
})

const goneAway = () => new Interrupted('nobody waits for the session any more')
