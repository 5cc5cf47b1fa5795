/** The address of a proxy, as people write it: `access.example.com`, `localhost:3443`, `https://[::1]:3443`. */
import { isIP } from 'node:net'
import { Problem } from './problem.ts'

export interface Address {
  /** Without brackets. */
  readonly host: string
  readonly port: number
}

const example = 'write it as HOST:PORT, such as localhost:3443 or access.example.com'

/** @throws Problem usage */
export function parseAddress(text: string): Address {
  const bad = (why: string) =>
    new Problem('usage', `${JSON.stringify(text)} is not the address of a proxy: ${why}`, example)
  if (text === '') throw bad('it is empty')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'https') throw bad(`${scheme}:// is not a way to reach one, only https:// is`)
  const url = URL.parse(scheme === undefined ? `https://${text}` : text)
  if (!url || /[\s\p{Cc}\\]/u.test(text)) throw bad('host or port is not valid')
  if (url.username !== '' || url.password !== '') throw bad('it names a user')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw bad('more follows after host and port')
  if (url.port === '0') throw bad('port 0 is none')
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 443 : Number(url.port) }
}

const bracketed = ({ host }: Address) => (isIP(host) === 6 ? `[${host}]` : host)
export const addressText = (address: Address): string => `${bracketed(address)}:${address.port}`
export const originOf = (address: Address): string => new URL(`https://${addressText(address)}`).origin

export const isLoopback = ({ host }: Address): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
