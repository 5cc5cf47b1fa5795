/** Certificates in PEM (RFC 7468). */
import { fromBase64url } from '../lib/bytes.ts'

const longest = 65_536
const block = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g

export type Pem = { kind: 'value'; value: string } | { kind: 'invalid'; why: string }

const invalid = (why: string): Pem => ({ kind: 'invalid', why })

/** The certificates alone, 64 characters a line: what a bundle says around them is left out. */
export function parseCertificates(text: string): Pem {
  if (text.length > longest) return invalid(`expected at most ${longest / 1024} KiB`)
  const blocks = [...text.matchAll(block)]
  const foreign = blocks.find(([, label]) => label !== 'CERTIFICATE')
  if (foreign) return invalid(`expected certificates alone: take out the ${foreign[1]?.trim()}`)
  const bodies = blocks.map(([, , body = '']) => body.replace(/\s/g, ''))
  const isWhole = blocks.length > 0 && blocks.length === text.split('-----BEGIN').length - 1
  if (!isWhole || !bodies.every(isDer)) return invalid('expected certificates in PEM: -----BEGIN CERTIFICATE-----')
  return { kind: 'value', value: bodies.map(wrap).join('') }
}

/** One PEM each. */
export const eachCertificate = (canonical: string): readonly string[] =>
  canonical.split(/(?<=-----END CERTIFICATE-----\n)/).filter((one) => one !== '')

const wrap = (body: string): string =>
  `-----BEGIN CERTIFICATE-----\n${body.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`

/** One DER SEQUENCE with a length of two bytes, as every certificate is, and nothing after it. */
function isDer(base64: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return false
  const bytes = fromBase64url(base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''))
  if (bytes === undefined || bytes[0] !== 0x30 || bytes[1] !== 0x82) return false
  return bytes.length === 4 + (((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0))
}
