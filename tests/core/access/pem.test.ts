import { describe, expect, test } from 'vitest'
import { parseCertificates } from '../../../core/access/pem.ts'
import { certificate } from './samples.ts'

const value = (text: string) => ({ kind: 'value', value: text })
const form = 'expected certificates in PEM: -----BEGIN CERTIFICATE-----'

describe('parseCertificates', () => {
  test('reads one, and several, and its own answer', () => {
    expect(parseCertificates(certificate)).toEqual(value(certificate))
    expect(parseCertificates(certificate + certificate)).toEqual(value(certificate + certificate))
  })

  test.each([
    ['Windows line ends', certificate.replaceAll('\n', '\r\n')],
    ['one long line', certificate.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, '')],
    ['indentation, as a block in YAML may leave it', certificate.replaceAll('\n', '\n  ')],
    ['no line end at its end', certificate.trim()],
    ['what a bundle says around it', `# A root\nsubject=CN = ca\n${certificate}\n`],
  ])('drops %s', (_what, text) => {
    expect(parseCertificates(text)).toEqual(value(certificate))
  })

  test.each([
    ['nothing', '', form],
    ['a path', '/etc/ssl/ca.pem', form],
    ['a certificate cut short', certificate.slice(0, -30), form],
    ['a second one cut short', certificate + certificate.slice(0, -30), form],
    ['one whose bytes are cut', certificate.replace('eig==\n', 'eg==\n'), form],
    ['bytes after it', certificate.replace('0eig==', '0eigAAAA'), form],
    ['what is not base64', certificate.replace('MIIB', 'MI!B'), form],
    ['what is not DER', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', form],
    ['DER of another length', '-----BEGIN CERTIFICATE-----\nMIEAAgAA\n-----END CERTIFICATE-----\n', form],
    ['no bytes', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', form],
    [
      'a private key beside it',
      `${certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
      'expected certificates alone: take out the PRIVATE KEY',
    ],
    ['more than 64 KiB', certificate.repeat(200), 'expected at most 64 KiB'],
  ])('refuses %s', (_what, text, why) => {
    expect(parseCertificates(text)).toEqual({ kind: 'invalid', why })
  })
})
