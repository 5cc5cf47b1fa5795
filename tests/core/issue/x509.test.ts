/** Our certificates before verifiers that are not ours: node:crypto, a TLS handshake, and openssl where it is installed. */
import { spawnSync } from 'node:child_process'
import { createPrivateKey, KeyObject, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Issued,
  issueLocalCa,
  issueServerCertificate,
  type Names,
  notPermitted,
} from '../../../core/issue/x509.ts'
import { hours } from '../../../core/model.ts'
import { newFolder, remove } from '../../runtime/launch.ts'

const start = Date.now()
const needs = { now: () => start, random: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }
const local: Names = { dns: ['localhost'], addresses: ['127.0.0.1', '::1'] }
const pem = (issued: Issued) => new X509Certificate(issued.certificate).toString()
const keyOf = ({ keys }: Issued) => KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()

let [ca, leaf] = [{} as Issued, {} as Issued]
const issue = (names: Names, ttl = hours(7 * 24)) =>
  issueServerCertificate(needs, { certificate: ca.certificate, key: ca.keys.privateKey }, names, ttl)

beforeAll(async () => {
  ca = await issueLocalCa(needs, local)
  leaf = await issue(local)
})

describe('issueLocalCa', () => {
  test('is an authority by its own signature, for ten years', () => {
    const certificate = new X509Certificate(ca.certificate)
    expect(certificate.ca).toBe(true)
    expect(certificate.checkIssued(certificate)).toBe(true)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()]
    expect(Math.abs(start - from - 5 * 60_000)).toBeLessThan(1000)
    expect(Math.abs(to - start - hours(3650 * 24))).toBeLessThan(1000)
  })

  test.each([0x00, 0x80, 0xff])(
    'has a positive serial number of 16 octets, whatever random begins with (%i)',
    async (first) => {
      const random = (length: number) => new Uint8Array(length).fill(first)
      const { serialNumber } = new X509Certificate((await issueLocalCa({ ...needs, random }, local)).certificate)
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    },
  )
})

describe('issueServerCertificate', () => {
  test('is for a server of these names only, signed by the authority', () => {
    const [authority, certificate] = [new X509Certificate(ca.certificate), new X509Certificate(leaf.certificate)]
    expect(certificate.checkIssued(authority)).toBe(true)
    expect(certificate.verify(authority.publicKey)).toBe(true)
    expect(certificate.verify(certificate.publicKey)).toBe(false)
    expect(certificate.ca).toBe(false)
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(certificate.checkPrivateKey(createPrivateKey(keyOf(leaf)))).toBe(true)
    expect(certificate.validToDate.getTime() - start).toBeGreaterThan(hours(7 * 24) - 1000)
    expect(certificate.validToDate.getTime() - start).toBeLessThanOrEqual(hours(7 * 24))
  })
})

describe('notPermitted', () => {
  test('tells the names that the authority was not made for', () => {
    const names = (...dns: string[]): Names => ({ dns, addresses: [] })
    expect(notPermitted(ca.certificate, local)).toEqual([])
    expect(notPermitted(ca.certificate, names('db.localhost'))).toEqual([])
    expect(notPermitted(ca.certificate, names('localhos', 'notlocalhost', 'localhost.example.com'))).toHaveLength(3)
    expect(notPermitted(ca.certificate, { dns: [], addresses: ['127.0.0.2', '::2'] })).toEqual(['127.0.0.2', '::2'])
  })

  test('has no objection where a certificate holds no constraint', () => {
    expect(notPermitted(leaf.certificate, { dns: ['a.example'], addresses: [] })).toEqual([])
  })

  test('reads long lists', async () => {
    const dns = Array.from({ length: 60 }, (_, i) => `host-${i}.example.com`)
    const large = await issueLocalCa(needs, { dns, addresses: [] })
    expect(notPermitted(large.certificate, { dns, addresses: [] })).toEqual([])
    expect(notPermitted(large.certificate, { dns: ['host-60.example.com'], addresses: [] })).toHaveLength(1)
  })
})

/** What a client that trusts the authority says to a server with this certificate. */
function handshake(server: Issued, host: string): Promise<string> {
  const listener = createServer({ key: keyOf(server), cert: pem(server) }).listen(0, '127.0.0.1')
  return new Promise<string>((done) => {
    listener.on('listening', () => {
      const { port } = listener.address() as { port: number }
      const options = { port, host: '127.0.0.1', ca: pem(ca), ...(/[a-z]/.test(host) ? { servername: host } : {}) }
      const socket = connect(options, () => done('trusted'))
      socket.on('error', (error) => done(error.message))
      socket.on('secureConnect', () => socket.destroy())
    })
  }).finally(() => listener.close())
}

describe('a TLS client', () => {
  test.each(['localhost', '127.0.0.1'])('trusts the certificate for %s', async (host) => {
    expect(await handshake(leaf, host)).toBe('trusted')
  })

  test('refuses what the authority may not speak for', async () => {
    const stolen = await issue({ dns: ['bank.example'], addresses: [] })
    expect(await handshake(stolen, 'bank.example')).toBe('permitted subtree violation')
  })

  test('refuses one that has expired', async () => {
    expect(await handshake(await issue(local, -1000), 'localhost')).toBe('certificate has expired')
  })
})

describe('openssl verify -x509_strict', () => {
  const folder = newFolder()
  afterAll(() => remove(folder))

  const verify = (server: Issued, ...args: string[]) => {
    writeFileSync(join(folder, 'ca.pem'), pem(ca))
    writeFileSync(join(folder, 'leaf.pem'), pem(server))
    const strict = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', ...args, 'leaf.pem']
    return spawnSync('openssl', ['verify', ...strict], { cwd: folder, encoding: 'utf8' })
  }

  test.for([
    ['-verify_hostname', 'localhost', 0],
    ['-verify_ip', '127.0.0.1', 0],
    ['-verify_ip', '::1', 0],
    ['-verify_hostname', 'bank.example', 2],
  ] as const)('%s %s ends with %i', ([option, name, status], context) => {
    const ended = verify(leaf, option, name)
    if (ended.error) return context.skip('openssl is not installed')
    expect(ended.stdout + ended.stderr).toMatch(status === 0 ? /leaf\.pem: OK/ : /hostname mismatch/i)
    expect(ended.status).toBe(status)
  })

  test('refuses it as the certificate of a client', async (context) => {
    const ended = verify(leaf, '-purpose', 'sslclient')
    if (ended.error) return context.skip('openssl is not installed')
    expect(ended.status).toBe(2)
  })
})
