import type { ResourceKind, ResourcePrincipal } from '../../core/access/resource.ts'
import { valuesOf } from '../../core/access/resource.ts'
import { mostInSet } from '../../core/access/session-set.ts'
import type { SessionInSet } from '../../core/intent.ts'
import { listenForBytes } from '../../proxy/local.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { listening, portOf, serveUntilInterrupted, startAll } from '../local-proxy.ts'
import { impersonateOption, principalFor, principalOptions, requireNamedOnce, requireOwnOptions } from '../principal.ts'
import { Problem } from '../problem.ts'
import { optionsOfAll, optionsOfKube } from '../proxy-help.ts'
import { quoted } from '../quoted.ts'
import { parseResource, requireTarget } from '../resource.ts'
import { sessionOpener } from '../session.ts'
import { countOf, countOption, SharedTap } from '../shared-tap.ts'
import { debug, sayProblem } from '../term.ts'

export default command({
  doing: 'start the local proxy',
  help: `Usage: sallyport proxy tcp KIND/NAME... [--login=LOGIN] [--kube-user=USER] [--port=N] [options]

Listens on 127.0.0.1 until Ctrl-C and passes bytes as they are, for ssh, curl, kubectl, desktop
clients and whatever else speaks TCP. KIND is node, app, kube_cluster or windows_desktop; a
database has "sallyport proxy db". HOST:PORT is a host that is no resource, where a role of yours
names it. Each connection is a session of its own: where a role wants a
tap, a page opens for each, one after the other. A session that does not open is reset, and why
stands here. Who ends its side before the tap counts as gone.

Several are listened for on a port each, and one tap approves them all: each opens once (with
--count, so often) within a minute of it, then the next connection asks anew.

Nobody looks into the bytes: LOGIN or USER is what your roles allow and what the tap approves,
and the resource's own sign-in decides as ever who you are there. Whoever may run programs on
this machine can connect too, so look at what a page asks.

Options:
  --login=LOGIN       of a node or a windows_desktop: as whom
${optionsOfKube}${optionsOfAll}
Examples:
  sallyport proxy tcp node/web-1 --login=ubuntu --port=2222
  sallyport proxy tcp app/wiki
  sallyport proxy tcp git.example.com:443 --port=8443
  sallyport proxy tcp kube_cluster/k8s --kube-user=ada --kube-group=developers
  sallyport proxy tcp windows_desktop/desk-1 --login=Administrator
  sallyport proxy tcp node/web-1 node/web-2 app/wiki --login=ubuntu --count=2
`,
  options: { port: { type: 'string' }, ...principalOptions, ...impersonateOption, ...countOption, ...browserOption },
  takes: [1, mostInSet],
  run: async (values, texts) => {
    const targets = texts.map(parseResource)
    requireNamedOnce(targets.map(({ name }) => name))
    requireOwnOptions(targets, values)
    const [port, count] = [portOf(values.port), countOf(values.count)]
    const database = targets.find(({ kind }) => kind === 'db')
    if (database) throw hasItsOwn(database.name, values)
    const session = await openSession(values.profile)
    const { impersonate } = values
    const who = impersonate ?? session.profile.who.user
    const sessions: SessionInSet[] = []
    for (const target of targets) {
      const resource = await requireTarget(session, target, impersonate)
      sessions.push({ resource: target, principal: principalFor(resource, values, who), count })
    }
    const shared = new SharedTap(sessions)
    const served = await startAll(port, sessions, async ({ resource, principal }, own) => {
      const { kind, name } = resource
      const open = sessionOpener({
        resource,
        impersonate,
        // "config use" in another terminal must not change whom this one is.
        profile: session.name,
        opensBrowser: !values['no-browser'],
        failed: (problem) => sayProblem(`open ${name}`, problem),
        shared,
      })
      const needs = { open: (gone: AbortSignal, ended: AbortSignal) => open(principal, gone, ended), tell: debug }
      const local = await listening(listenForBytes(own, needs))
      return { local, what: `${kind}/${name}`, example: examples[kind]?.(name, local.port, principal) }
    })
    return serveUntilInterrupted(served)
  },
})

/** The proxy takes no TLS and no other user of the database, which `proxy db` answers in the client's own words. */
function hasItsOwn(name: string, { port, ...values }: Readonly<Record<string, unknown>>): Problem {
  const given = ['db-user', 'db-name'].flatMap((flag) =>
    values[flag] === undefined ? [] : [`--${flag}=${values[flag]}`],
  )
  const same = [...(port === undefined ? [] : [`--port=${port}`]), ...given].map(quoted)
  return new Problem(
    'usage',
    'a database has a local proxy of its own',
    `sallyport ${['proxy db', name, ...same].join(' ')}`,
  )
}

type Example = (name: string, port: number, principal: ResourcePrincipal) => string

/** How to use it; of an app nobody knows what it speaks. */
const examples: { readonly [kind in ResourceKind]?: Example } = {
  // The host's key is known by its name, not as that of this machine.
  node: (name, port, principal) =>
    `ssh -p ${port} -o HostKeyAlias=${name} ${quoted(`${valuesOf(principal, 'login')[0]}@127.0.0.1`)}`,
  kube_cluster: (_, port) => `kubectl --server=https://127.0.0.1:${port}`,
  windows_desktop: (_, port, principal) =>
    `xfreerdp /v:127.0.0.1:${port} ${quoted(`/u:${valuesOf(principal, 'login')[0]}`)}`,
}
