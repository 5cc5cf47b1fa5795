import type { ResourceKind, ResourcePrincipal } from '../../core/access/resource.ts'
import { valuesOf } from '../../core/access/resource.ts'
import { listenForBytes } from '../../proxy/local.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { listening, portOf, serveUntilInterrupted } from '../local-proxy.ts'
import { impersonateOption, principalFor, principalOptions, requireOwnOptions } from '../principal.ts'
import { Problem } from '../problem.ts'
import { quoted } from '../profiles.ts'
import { parseResource, requireResource } from '../resource.ts'
import { sessionOpener } from '../session.ts'
import { debug, sayProblem } from '../term.ts'

export default command({
  doing: 'start the local proxy',
  help: `Usage: sallyport proxy tcp KIND/NAME [--login=LOGIN] [--kube-user=USER] [--port=N] [options]

Listens on 127.0.0.1 until Ctrl-C and passes bytes as they are, for ssh, curl, kubectl, desktop
clients and whatever else speaks TCP. KIND is node, app, kube_cluster or windows_desktop; a
database has "sallyport proxy db". Each connection is a session of its own: where a role wants a
tap, a page opens for each, one after the other. A session that does not open is reset, and why
stands here. Who ends its side before the tap counts as gone.

Nobody looks into the bytes: LOGIN or USER is what your roles allow and what the tap approves,
and the resource's own sign-in decides as ever who you are there. Whoever may run programs on
this machine can connect too, so look at what a page asks.

Options:
  --login=LOGIN       of a node or a windows_desktop: as whom
  --kube-user=USER    of a kube_cluster: as whom
  --kube-group=GROUP  of a kube_cluster: in which group; may be given several times
  --port=N            the port, for programs that keep it: any that is free where not given
  --impersonate=USER  with the rights of this user, where a role of yours lets you act as him
  --no-browser        do not open a browser, only show the address of the page

Examples:
  sallyport proxy tcp node/web-1 --login=ubuntu --port=2222
  sallyport proxy tcp app/wiki
  sallyport proxy tcp kube_cluster/k8s --kube-user=ada --kube-group=developers
  sallyport proxy tcp windows_desktop/desk-1 --login=Administrator
`,
  options: { port: { type: 'string' }, ...principalOptions, ...impersonateOption, ...browserOption },
  takes: [1, 1],
  run: async (values, [text = '']) => {
    const { kind, name } = parseResource(text)
    requireOwnOptions({ kind, name }, values)
    const port = portOf(values.port)
    if (kind === 'db') throw hasItsOwn(name, values)
    const session = await openSession(values.profile)
    const { impersonate } = values
    const resource = await requireResource(session, { kind, name }, impersonate)
    const principal = principalFor(resource, values, impersonate ?? session.profile.who.user)
    const open = sessionOpener({
      resource: { kind, name },
      impersonate,
      // "config use" in another terminal must not change whom this one is.
      profile: session.name,
      opensBrowser: !values['no-browser'],
      failed: (problem) => sayProblem(`open ${name}`, problem),
    })
    const needs = { open: (gone: AbortSignal, ended: AbortSignal) => open(principal, gone, ended), tell: debug }
    const local = await listening(listenForBytes(port, needs))
    return serveUntilInterrupted(local, examples[kind]?.(name, local.port, principal))
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
