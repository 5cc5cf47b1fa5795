import type { ResourcePrincipal } from '../../core/access/resource.ts'
import { addressText, originOf, parseAddress } from '../address.ts'
import { openSession } from '../api.ts'
import { browserOption } from '../browser.ts'
import { command, formatOption } from '../command.ts'
import { keepAuthority } from '../db-certificate.ts'
import { impersonateOption, principalFor, principalOptions, requireOwnOptions } from '../principal.ts'
import { Problem } from '../problem.ts'
import { quoted } from '../quoted.ts'
import { parseResource, type Resource, requireResource } from '../resource.ts'
import { bearerToKeep } from '../session.ts'
import { formatOf, print, say, show } from '../term.ts'

export default command({
  doing: 'get a word for the proxy',
  help: `Usage: sallyport proxy word NAME | KIND/NAME [--login=LOGIN] [--kube-user=USER] [options]

For programs that know forward proxies and nothing else of Sallyport, such as curl, git and build
tools on machines where no other command can run: a word that they give to Sallyport's proxy as
its password, whatever the user. It opens one connection to NAME, an app where no KIND says
otherwise, within a minute, from the address of this machine; a failed attempt uses it up.

Only where a role has bearer_grants. Where a role wants a tap, a page opens first. Whoever reads
the word can use it, so the proxy's address must begin with https://: over http:// the proxy takes
none, and the word is used up. "sallyport proxy http" needs no word and is better where it can run.

Standard output has the word alone.

Options:
  --login=LOGIN       of a node or a windows_desktop: as whom
  --kube-user=USER    of a kube_cluster: as whom
  --kube-group=GROUP  of a kube_cluster: in which group; may be given several times
  --impersonate=USER  with the rights of this user, where a role of yours lets you act as him
  --no-browser        do not open a browser, only show the address of the page
  --format=text|json|yaml

Examples:
  sallyport proxy word node/web-1 --login=ubuntu
  curl --proxy https://access.example.com -U "any:$(sallyport proxy word wiki)" http://wiki/
  git -c http.proxy="https://any:$(sallyport proxy word git)@access.example.com" pull
`,
  options: { ...principalOptions, ...impersonateOption, ...browserOption, ...formatOption },
  takes: [1, 1],
  run: async (values, [text = '']) => {
    const format = formatOf(values.format)
    const resource = parseResource(text.includes('/') ? text : `app/${text}`)
    requireOwnOptions([resource], values)
    if (resource.kind === 'db') throw hasItsOwn(resource.name)
    const { impersonate } = values
    const session = await openSession(values.profile)
    const found = await requireResource(session, resource, impersonate)
    const principal: ResourcePrincipal = principalFor(found, values, impersonate ?? session.profile.who.user)
    const asked = { resource, principal, impersonate }
    const { handle, lifeMs } = await bearerToKeep(session, asked, !values['no-browser'])
    const until = new Date(Date.now() + lifeMs)
    const address = parseAddress(session.profile.proxy)
    const data = {
      word: handle,
      resource: `${resource.kind}/${resource.name}`,
      proxy: `https://${addressText(address)}`,
    }
    await show(format, { ...data, uses: 1, expires_at: until.toISOString() }, () => print(handle))
    if (format !== 'text') return 'ok'
    const { ca } = session.profile
    const trusting = ca === undefined ? [] : ['--proxy-cacert', keepAuthority(session.name, ca)]
    say(
      ['curl', ...trusting, '--proxy', originOf(address), '--proxy-user', 'any:WORD', urlOf(found)]
        .map(quoted)
        .join(' '),
    )
    say(`The word opens ${resource.name} once, until ${until.toLocaleTimeString()}, from this machine alone.`)
    return 'ok'
  },
})

/** Of what is no web server nothing is known but that curl passes bytes. */
const urlOf = ({ kind, name }: Pick<Resource, 'kind' | 'name'>): string =>
  kind === 'app' ? `http://${name}/` : kind === 'kube_cluster' ? `https://${name}/` : `telnet://${name}:443`

const hasItsOwn = (name: string) =>
  new Problem('usage', 'a database takes a password of its own', `sallyport db login ${quoted(name)} --bearer`)
