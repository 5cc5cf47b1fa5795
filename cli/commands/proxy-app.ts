import { mostInSet } from '../../core/access/session-set.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { impersonateOption } from '../principal.ts'
import { countOption } from '../shared-tap.ts'
import proxyTcp from './proxy-tcp.ts'

export default command({
  doing: proxyTcp.doing,
  help: `Usage: sallyport proxy app NAME... [--port=N] [--count=N] [--impersonate=USER]
       [--no-browser]

Listens on this machine for an app: the same as "sallyport proxy tcp app/NAME". Its links and its
certificate are for its own host: for browsers "sallyport proxy http" is better.

Options:
  --port=N            the port, for programs that keep it: any that is free where not given;
                      of several the first, and the next ones follow
  --count=N           how often one tap opens each: once where not given
  --impersonate=USER  with the rights of this user, where a role of yours lets you act as him
  --no-browser        do not open a browser, only show the address of the page

Examples:
  sallyport proxy app wiki --port=8080
`,
  options: { port: { type: 'string' }, ...impersonateOption, ...countOption, ...browserOption },
  takes: [1, mostInSet],
  run: (values, names) =>
    proxyTcp.run(
      values,
      names.map((name) => `app/${name}`),
      [],
    ),
})
