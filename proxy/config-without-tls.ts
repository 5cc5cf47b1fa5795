/** Routes of proxy.yaml whose bytes pass as they are: what they may not say, and who leads to them. */
import { into, type Place, quoted, tell } from '../core/access/place.ts'
import type { Listener } from './listeners.ts'
import { protocolWithoutTls } from './routes.ts'

/** What only a hello can be asked for, or TLS that ends here can show. */
const ofTls = ['sni', 'sni_pattern', 'no_sni', 'alpn', 'tls', 'cert', 'key', 'client_ca'] as const

export function checkFields(read: object & { readonly protocol: string }, place: Place): void {
  for (const name of ofTls)
    if (name in read) tell(into(place, name), `is for routes of TLS, and the protocol of this one is ${read.protocol}`)
}

interface Named {
  readonly name: string
  readonly protocol?: string | undefined
}

/** `place`: of the file. */
export function checkWithoutTls(routes: readonly Named[], listeners: readonly Listener[], place: Place): void {
  const named = new Set(listeners.flatMap(({ route, onSilence }) => [route, onSilence?.route]))
  let ofSsh: string | undefined
  routes.forEach((route, at) => {
    const { name } = route
    const protocol = protocolWithoutTls(route)
    const here = into(into(place, 'routes'), at)
    if (protocol === undefined) return
    if (protocol === 'ssh' && ofSsh !== undefined)
      tell(into(here, 'protocol'), `route ${quoted(ofSsh)} has it: a client of SSH does not say where it wants to`)
    if (protocol === 'ssh') ofSsh ??= name
    else if (!named.has(name)) tell(here, 'nothing leads to it: name it as `route` of a listener, or in `on_silence`')
  })
}
