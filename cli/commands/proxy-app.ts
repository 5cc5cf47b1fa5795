import { mostInSet } from '../../core/access/session-set.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { impersonateOption } from '../principal.ts'
import { optionsOfAll } from '../proxy-help.ts'
import { countOption } from '../shared-tap.ts'
import proxyTcp from './proxy-tcp.ts'

export default command({
  doing: proxyTcp.doing,
  help: `Usage: sallyport proxy app NAME... [--port=N] [--count=N] [--impersonate=USER]
       [--no-browser]

Listens on this machine for an app: the same as "sallyport proxy tcp app/NAME". Its links and its
certificate are for its own host: for browsers "sallyport proxy http" is better.

Options:
${optionsOfAll}
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
