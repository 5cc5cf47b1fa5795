/**
 * Hashes of passwords as text, in the form of the PHC string format: `$NAME[$v=VERSION]$PARAMETER=N,…$SALT$HASH`. What made a hash
 * stands beside it, so that parameters can be raised while older hashes still verify.
 */
import { type Bytes, base64url, fromBase64url } from './bytes.ts'

export interface Phc {
  readonly name: string
  readonly version?: number
  readonly parameters: Readonly<Record<string, number>>
  readonly salt: Bytes
  readonly hash: Bytes
}

/** B64 of the format is base64 (RFC 4648 section 4) without padding. */
const b64 = (bytes: Bytes): string => base64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
const fromB64 = (text: string): Bytes | undefined => fromBase64url(text.replaceAll('+', '-').replaceAll('/', '_'))

export function writePhc({ name, version, parameters, salt, hash }: Phc): string {
  const settings = Object.entries(parameters).map(([key, number]) => `${key}=${number}`)
  const head = version === undefined ? name : `${name}$v=${version}`
  return `$${head}$${settings.join(',')}$${b64(salt)}$${b64(hash)}`
}

const form =
  /^\$([a-z0-9-]{1,32})(?:\$v=(\d{1,4}))?\$([a-z]+=\d{1,10}(?:,[a-z]+=\d{1,10})*)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** undefined: not of this form. */
export function parsePhc(text: string): Phc | undefined {
  const [, name = '', version, settings = '', salt = '', hash = ''] = form.exec(text) ?? []
  const [saltBytes, hashBytes] = [fromB64(salt), fromB64(hash)]
  if (name === '' || !saltBytes || !hashBytes) return undefined
  const pairs = settings.split(',').map((pair): [string, number] => {
    const [key = '', number] = pair.split('=')
    return [key, Number(number)]
  })
  const parameters = Object.fromEntries(pairs)
  return { name, ...(version && { version: Number(version) }), parameters, salt: saltBytes, hash: hashBytes }
}
