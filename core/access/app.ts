/** A web application, or whatever else speaks TCP. */
import { fields, oneOf, optional, type Read, refined, yesOrNo } from './fields.ts'
import { parseHostPort } from './host-port.ts'
import { type Metadata, metadata } from './metadata.ts'
import { quoted, tell } from './place.ts'
import { resourceName } from './resource-name.ts'
import { anyText } from './text.ts'

export type AppDocument = {
  readonly kind: 'app'
  readonly version: 'v3'
  readonly metadata: Metadata
  readonly spec: {
    /** `http://HOST:PORT`, `https://HOST:PORT` or `tcp://HOST:PORT`. */
    readonly uri: string
    /** Of an `https` server: its certificate is not looked at. */
    readonly insecure_skip_verify?: boolean
  }
}

const usualPorts: Readonly<Record<string, string>> = { http: '80', https: '443' }

const uri: Read<string> = refined(anyText, (written, place) => {
  const [, scheme, rest] = /^(http|https|tcp):\/\/([^/?#]+)\/?$/i.exec(written) ?? []
  if (scheme === undefined || rest === undefined)
    return tell(place, `${quoted(written)}: expected http://HOST:PORT, https://HOST:PORT or tcp://HOST:PORT`)
  const usual = usualPorts[scheme.toLowerCase()]
  const parsed = parseHostPort(usual === undefined || /:\d+$/.test(rest) ? rest : `${rest}:${usual}`)
  return parsed.kind === 'value' ? `${scheme.toLowerCase()}://${parsed.value}` : tell(place, parsed.why)
})

export const app: Read<AppDocument> = fields<AppDocument>('app', {
  kind: oneOf('app'),
  version: oneOf('v3'),
  metadata: metadata('app', resourceName),
  spec: fields<AppDocument['spec']>('app', { uri, insecure_skip_verify: optional(yesOrNo) }),
})
