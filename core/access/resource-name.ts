/** What every resource has: a name of its own among all kinds, and where the proxy finds it. */
import { type Read, refined } from './fields.ts'
import { parseHostName, parseHostPort } from './host-port.ts'
import { quoted, tell } from './place.ts'
import { anyText, shaped, text } from './text.ts'

/** A DNS label: the proxy is asked for the resource by the name NAME.PROXY. */
export const resourceName: Read<string> = text(
  shaped(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'a name of 1 to 63 lower case letters, digits and -, with no - at its ends',
  ),
)

/** `HOST:PORT`. */
export const address: Read<string> = refined(anyText, (written, place) => {
  const parsed = parseHostPort(written)
  return parsed.kind === 'value' ? parsed.value : tell(place, parsed.why)
})

export const hostName: Read<string> = refined(anyText, (written, place) => {
  return parseHostName(written) ?? tell(place, `${quoted(written)}: expected a host name`)
})
