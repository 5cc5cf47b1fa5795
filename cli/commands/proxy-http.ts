import { allowing, type HostRule } from '../../core/access/host-rule.ts'
import { hostOf } from '../../core/access/host-target.ts'
import { mostInSet } from '../../core/access/session-set.ts'
import { type BeyondHosts, listenForHttp } from '../../proxy/local-http.ts'
import { parseAddress } from '../address.ts'
import { openSession, type Session } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command } from '../command.ts'
import { listening, portOf, serveUntilInterrupted } from '../local-proxy.ts'
import { impersonateOption, requireNamedOnce } from '../principal.ts'
import { Problem } from '../problem.ts'
import { hostsOf, requireHost, requireTarget, resourcesOf } from '../resource.ts'
import { sessionOpener } from '../session.ts'
import { countOf, countOption, SharedTap } from '../shared-tap.ts'
import { debug, sayProblem } from '../term.ts'

export default command({
  doing: 'start the local proxy',
  help: `Usage: sallyport proxy http [NAME | HOST=NAME | HOST:PORT ...] [--port=N] [--count=N]
       [--impersonate=USER] [--no-browser]

A forward proxy on this machine, for browsers and all that heeds HTTPS_PROXY. It leads to apps: each
by its NAME, by NAME below the address of Sallyport's proxy, and by HOST where you give one, as
their certificates and links have it; and to hosts that are no resources by HOST:PORT. Without
names, to every app and host that your roles reach. Nothing else passes.

Whoever may run programs on this machine can use it too, so look at what a page asks. TLS is the
browser's own with the app, from end to end. Each connection is a session, and where a
role wants a tap, a page opens for it: give the names and --count, and one tap opens each so often.

Options:
  --port=N            the port, for settings that keep it: any that is free where not given
  --count=N           how often one tap opens each: once where not given; with names
  --impersonate=USER  with the rights of this user, where a role of yours lets you act as him
  --no-browser        do not open a browser, only show the address of the page

Examples:
  sallyport proxy http --port=8080
  HTTPS_PROXY=http://127.0.0.1:8080 curl https://wiki/
  chromium --proxy-pac-url=http://127.0.0.1:8080/proxy.pac
  sallyport proxy http wiki.example.com=wiki --count=8
`,
  options: { port: { type: 'string' }, ...impersonateOption, ...countOption, ...browserOption },
  takes: [0, mostInSet],
  run: async (values, texts) => {
    const [port, count] = [portOf(values.port), countOf(values.count)]
    const named = texts.map(parseNamed)
    requireNamedOnce(named.map(({ name }) => name))
    if (named.length === 0 && count > 1)
      throw new Problem('usage', '--count is given without names', 'name the apps that one tap is to open')
    const session = await openSession(values.profile)
    const { impersonate } = values
    const apps = named.length > 0 ? named : await allApps(session, impersonate)
    for (const { name } of named) await requireTarget(session, resourceOf(name), impersonate)
    const shared = new SharedTap(named.map(({ name }) => ({ resource: resourceOf(name), principal: {}, count })))
    const open = (name: string, ...ends: [AbortSignal, AbortSignal]) =>
      sessionOpener({
        ...{ resource: resourceOf(name), impersonate, shared },
        // "config use" in another terminal must not change whom this one is.
        profile: session.name,
        opensBrowser: !values['no-browser'],
        failed: (problem) => sayProblem(`open ${name}`, problem),
      })({}, ...ends)
    const hosts = appHosts(apps, parseAddress(session.profile.proxy).host)
    const beyond = named.length > 0 ? hostsAmong(named) : await hostsInRoles(session, impersonate)
    const local = await listening(listenForHttp(port, { hosts, beyond, open, tell: debug }))
    const example = `its list of hosts, for a browser: http://127.0.0.1:${local.port}/proxy.pac`
    return serveUntilInterrupted([{ local, what: 'apps', example }])
  },
})

interface Named {
  readonly name: string
  readonly host: string | undefined
}

const hostForm = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/

/** No app has a name with a port. */
const resourceOf = (name: string) => ({ kind: name.includes(':') ? ('host' as const) : ('app' as const), name })

function hostsAmong(named: readonly Named[]): BeyondHosts {
  const names = named.map(({ name }) => name).filter((name) => resourceOf(name).kind === 'host')
  const rules = names.map((name) => {
    const { host, port } = hostOf(name)
    return { name: host, ports: [port] }
  })
  return { rules, leads: (name) => names.includes(name) }
}

/** By the same rules as at the edge, so that what no role names asks nobody. */
async function hostsInRoles(session: Session, impersonate: string | undefined): Promise<BeyondHosts> {
  const listed = await hostsOf(session, impersonate)
  const rules = listed.map(({ name, ports, networks }): HostRule => {
    const read = ports.map((port) => (/^\d+$/.test(port) ? Number(port) : port))
    return { name, ports: read, ...(networks && { networks }) }
  })
  return { rules, leads: (name) => allowing(rules, hostOf(name)) >= 0 }
}

/** @throws Problem usage */
function parseNamed(text: string): Named {
  if (/:\d*$/.test(text)) return { name: requireHost(text), host: undefined }
  const [name = '', given, ...more] = text.split('=').reverse()
  const host = given?.toLowerCase()
  const isHost = host === undefined || hostForm.test(host)
  if (name !== '' && isHost && more.length === 0) return { name, host }
  throw new Problem('usage', `${text} is neither NAME nor HOST=NAME`, 'write wiki, or wiki.example.com=wiki')
}

const allApps = async (session: Session, impersonate: string | undefined): Promise<Named[]> =>
  (await resourcesOf(session, impersonate))
    .filter(({ kind }) => kind === 'app')
    .map(({ name }) => ({ name, host: undefined }))

/** A host that is given goes before a name that is the same by chance. */
function appHosts(all: readonly Named[], proxy: string): Map<string, string> {
  const apps = all.filter(({ name }) => resourceOf(name).kind === 'app')
  const names = apps.flatMap(({ name }) => [
    [name.toLowerCase(), name] as const,
    [`${name}.${proxy}`.toLowerCase(), name] as const,
  ])
  const given = apps.flatMap(({ name, host }) => (host === undefined ? [] : [[host, name] as const]))
  return new Map([...names, ...given])
}
