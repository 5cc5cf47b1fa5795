/** `certificates`, `acme` and `max_hello` of proxy.yaml: what each says, and what of it cannot be. */
import { isIP } from 'node:net'
import { fields, optional, type Read, refined, tellExpected } from '../core/access/fields.ts'
import { into, type Place, quoted, tell } from '../core/access/place.ts'
import { anyText } from '../core/access/text.ts'
import { helloLimits } from '../core/route/hello.ts'
import { normaliseSni } from '../core/route/name.ts'
import { wildcardOf } from './certificate-book.ts'
import type { AcmeSettings, Settings } from './config.ts'
import { many } from './config-routes.ts'
import { ownServerNames, showsOwn } from './routes.ts'

export interface CertificateEntry {
  readonly cert: string
  readonly key: string
}

export interface AcmeEntry {
  readonly directory: string
  readonly email?: string
  readonly names: readonly string[]
  readonly ca_file?: string
  readonly agree_tos: true
}

const mostCertificates = 256
/** One order each, one after the other. */
const mostAcmeNames = 64
const longestHello = 65_536

export const certificateEntries: Read<readonly CertificateEntry[]> = many(
  fields<CertificateEntry>('certificates', { cert: anyText, key: anyText }),
  mostCertificates,
  'certificates, each with cert and key',
)

export const maxHello: Read<number> = (json, place) => {
  const { maxHelloBytes } = helloLimits
  if (typeof json === 'number' && Number.isInteger(json) && json >= maxHelloBytes && json <= longestHello) return json
  return tellExpected(json, place, `a number of bytes from ${maxHelloBytes} to ${longestHello}`)
}

const directory: Read<string> = refined(anyText, (text, place) =>
  text.startsWith('https://') && URL.canParse(text)
    ? text
    : tell(place, `${quoted(text)}: expected the https URL of an authority's directory`),
)

const email: Read<string> = refined(anyText, (text, place) =>
  /^[^\s@<>,?&]+@[^\s@<>,?&]+$/.test(text)
    ? text
    : tell(place, `${quoted(text)}: expected one address, such as ops@example.com`),
)

/** RFC 8737 section 3 knows no wildcards, and this version no addresses (RFC 8738). */
const acmeName: Read<string> = refined(anyText, (text, place) => {
  if (text.startsWith('*.'))
    return tell(place, `${quoted(text)}: no wildcard can be shown by a challenge on this port: name each`)
  return isIP(text) === 0 && normaliseSni(text) === text
    ? text
    : tell(place, `${quoted(text)}: expected a host name in lower case`)
})

const agreed: Read<true> = (json, place) =>
  json === true ? json : tell(place, 'expected true: read the terms that the directory names, and agree to them')

export const acmeEntry: Read<AcmeEntry> = fields<AcmeEntry>('acme', {
  directory,
  email: optional(email),
  names: refined(many(acmeName, mostAcmeNames, 'host names'), (list, place) =>
    list.length > 0 ? list : tell(place, 'expected at least one'),
  ),
  ca_file: optional(anyText),
  agree_tos: agreed,
})

/** `beside`: a path as it stands in the file. */
export const acmeSettings = (read: AcmeEntry, beside: (path: string) => string): AcmeSettings => ({
  directory: read.directory,
  email: read.email,
  names: read.names,
  caFile: read.ca_file === undefined ? undefined : beside(read.ca_file),
})

/** `place`: of the file. */
export function checkAcme(settings: Settings, place: Place): void {
  const own = ownServerNames(settings)
  settings.acme?.names.forEach((name, at) => {
    const here = into(into(into(place, 'acme'), 'names'), at)
    if (settings.acme?.names.indexOf(name) !== at) tell(here, `${quoted(name)} stands twice`)
    const ending = settings.routes.filter((route) => showsOwn(route) && route.sni.some((sni) => stands(sni, name)))
    if (!own.has(name) && ending.length === 0)
      tell(
        here,
        `no TLS ends here under ${quoted(name)}: it is no name of the proxy or of a route that shows its certificates`,
      )
  })
}

const stands = (sni: string, name: string) => sni === name || sni === '*' || sni === wildcardOf(name)
