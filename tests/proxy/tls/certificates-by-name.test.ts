/** Several certificates on one port: each is shown for the names that stand in it. */
import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { certificatesOfFiles } from '../../../proxy/certificate-files.ts'
import { makeExpiries } from '../../../proxy/expiry.ts'
import type { LogLine } from '../../../proxy/log.ts'
import { type Issued, issue, newCa } from '../../cli/certificates.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, dial, head, local, startProxy, until } from '../proxy.ts'
import { routeOf } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'

const ca = await newCa('One for all')
const names = { ...local, dns: ['p.test', 'a.p.test', 'b.p.test', 'a.b.p.test', 'q.test', 'localhost'] }

/** Files of a test, in one folder. */
function inFolder() {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const put = (name: string, { pem, key }: Pick<Issued, 'pem' | 'key'>) => {
    const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
    // As those do it who renew certificates: whole, or not at all.
    for (const [path, text] of [
      [files.certificate, pem],
      [files.key, key],
    ] as const) {
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
    }
    return files
  }
  return { folder, put }
}

const named = (name: string, dns: readonly string[], wish: Parameters<typeof issue>[1] = {}) =>
  issue(name, { by: ca, names: dns, ...wish })

async function serving(options: Partial<Parameters<typeof startProxy>[0]> = {}) {
  const { put } = inFolder()
  const files = [
    put('first', await named('first', ['p.test'])),
    put('wild', await named('wild', ['*.p.test'])),
    put('exact', await named('exact', ['A.p.test'])),
  ]
  const proxy = await startProxy({ edge: 'http://localhost:1', names, certificates: files, ...options })
  const shown = async (servername: string, more: Parameters<typeof dial>[1] = {}) => {
    const { socket } = await dial(
      { ...proxy, ca: ca.pem },
      { servername, checkServerIdentity: () => undefined, ...more },
    )
    return socket.getPeerCertificate().subject?.CN
  }
  return { proxy, put, shown }
}

test.each([
  ['p.test', 'first'],
  ['P.Test.', 'first'],
  ['b.p.test', 'wild'],
  ['a.p.test', 'exact'],
  ['A.P.TEST', 'exact'],
  // A wildcard stands for one label: no certificate is for this name, so it gets the first one.
  ['a.b.p.test', 'first'],
  ['q.test', 'first'],
  ['', 'first'],
])('%j is shown %s', async (servername, expected) => {
  const { shown } = await serving()
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    expect(await shown(servername, { maxVersion })).toBe(expected)
})

test('a hello to 127.0.0.1 alone gets the first', async () => {
  const { proxy } = await serving()
  const { socket } = await dial({ ...proxy, ca: ca.pem }, { servername: '', checkServerIdentity: () => undefined })
  expect(socket.getPeerCertificate().subject.CN).toBe('first')
})

/** Made by OpenSSL: the tests' own maker knows ECDSA alone. */
function rsaOf(name: string): Pick<Issued, 'pem' | 'key'> {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=rsa',
    '-keyout',
    key,
    '-out',
    cert,
  ]
  execFileSync('openssl', [...args, '-addext', `subjectAltName=DNS:${name}`], { stdio: 'ignore' })
  return { pem: execFileSync('cat', [cert]).toString(), key: execFileSync('cat', [key]).toString() }
}

test('RSA and ECDSA of one name: each client gets the one whose signatures it reads', async () => {
  const { put } = inFolder()
  const files = [put('ecdsa', await named('ecdsa', ['p.test'])), put('rsa', rsaOf('p.test'))]
  const proxy = await startProxy({ edge: 'http://localhost:1', names, certificates: files })
  const shown = async (sigalgs: string, servername: string) => {
    const { socket } = await dial(proxy, { servername, sigalgs, rejectUnauthorized: false })
    return socket.getPeerCertificate().subject.CN
  }
  for (const servername of ['p.test', '']) {
    expect(await shown('RSA-PSS+SHA256', servername)).toBe('rsa')
    expect(await shown('ECDSA+SHA256', servername)).toBe('ecdsa')
  }
})

test('of two names with different kinds of keys none is shown the other’s, whatever a client prefers', async () => {
  const { put } = inFolder()
  const files = [put('rsa', rsaOf('p.test')), put('ecdsa', await named('ecdsa', ['q.test']))]
  for (const certificates of [files, [...files].reverse()]) {
    const proxy = await startProxy({ edge: 'http://localhost:1', names, certificates })
    const shown = async (servername: string, sigalgs: string) => {
      const { socket } = await dial(proxy, { servername, sigalgs, rejectUnauthorized: false })
      return socket.getPeerCertificate()?.subject.CN
    }
    for (const sigalgs of ['RSA-PSS+SHA256:ECDSA+SHA256', 'ECDSA+SHA256:RSA-PSS+SHA256']) {
      expect([await shown('p.test', sigalgs), await shown('q.test', sigalgs)]).toEqual(['rsa', 'ecdsa'])
    }
    expect(await shown('p.test', 'ECDSA+SHA256')).toBeUndefined()
    expect(await shown('q.test', 'RSA-PSS+SHA256')).toBeUndefined()
  }
})

test('a demanded client certificate leads to the route’s authority, whichever certificate is shown', async () => {
  const { put } = inFolder()
  const staff = await newCa('Staff')
  const clientCa = put('staff', staff).certificate
  const service = await startService((socket) => void socket.write('welcome'))
  const routes = [routeOf({ sni: ['x.p.test'], tls: 'terminate', clientCa, backends: [service.uri] })]
  const { proxy } = await serving({ routes })
  const showing = ({ pem: cert, key }: Issued) => dial({ ...proxy, ca: ca.pem }, { servername: 'x.p.test', cert, key })
  const lea = await showing(await issue('lea', { by: staff }))
  await until(() => lea.said() === 'welcome')
  expect(lea.socket.getPeerCertificate().subject.CN).toBe('wild')
  await (await showing(await issue('eve', { by: ca }))).closed
  await expect.poll(proxy.codes).toEqual(['client_certificate_refused'])
  expect(service.connections).toHaveLength(1)
})

test('a file that is replaced is shown from then on; who is connected stays; a half-written pair changes nothing', async () => {
  const { proxy, put, shown } = await serving({ lookEvery: 50, limits: { idleMs: 60_000, graceMs: 50 } })
  const early = await dial({ ...proxy, ca: ca.pem }, { servername: 'b.p.test' })
  const ask = async () => {
    const before = early.said().length
    early.send(head('GET /.well-known/sallyport HTTP/1.1', 'Host: b.p.test'))
    await until(() => early.said().slice(before).endsWith('}'))
  }
  await ask()
  const next = await named('next', ['*.p.test', 'q.test'])
  const wrong = () =>
    proxy.log.filter(({ certificate, level }) => certificate === 'certificates[1]' && level === 'error')
  put('wild', { pem: next.pem, key: (await named('other', [])).key })
  await until(() => wrong().length > 0)
  await proxy.serving.routing.certificates.look()
  await proxy.serving.routing.certificates.look()
  expect(wrong()).toHaveLength(1)
  expect(wrong()[0]?.['detail']).toMatch(/wild\.key is not the key of .*wild\.pem/)
  expect(await shown('b.p.test')).toBe('wild')
  put('wild', { pem: `${next.pem}-----BEGIN CERTIFICATE-----\nMIIB`, key: next.key })
  await until(() => wrong().length > 1)
  expect(await shown('b.p.test')).toBe('wild')
  put('wild', next)
  await expect.poll(() => shown('b.p.test'), { timeout: 10_000 }).toBe('next')
  expect(await shown('q.test')).toBe('next')
  expect(await shown('a.p.test')).toBe('exact')
  // What is wrong was told once, not at each look.
  expect(wrong()).toHaveLength(2)
  await ask()
  await expect.poll(proxy.codes).toEqual([])
})

test('the first file is renewed for clients without a name too', async () => {
  const { proxy, put, shown } = await serving()
  put('first', await named('renewed', ['p.test']))
  await proxy.serving.routing.certificates.look()
  expect([await shown(''), await shown('p.test')]).toEqual(['renewed', 'renewed'])
})

test('two with one name and one kind of key stop the start, and are told when they come later', async () => {
  const { put } = inFolder()
  const [first, second] = [
    put('first', await named('first', ['p.test'])),
    put('second', await named('second', ['p.test'])),
  ]
  const start = () => startProxy({ edge: 'http://localhost:1', names, certificates: [first, second] })
  const why = /certificates\[1\] speaks for p\.test with a key of the kind of certificates\[0\] \(ec\)/
  await expect(start()).rejects.toThrow(why)
  put('second', await named('second', ['q.test']))
  const proxy = await start()
  put('second', await named('second', ['p.test']))
  await proxy.serving.routing.certificates.look()
  expect(proxy.log.map(({ detail }) => detail)).toContainEqual(expect.stringMatching(why))
})

test('until when each is good: in the metrics, and once a day in the log while there is time', async () => {
  const { put } = inFolder()
  const files = [
    { ...put('long', await named('long', ['p.test'], { from: -50, until: 50 })), label: 'certificates[0]' },
    { ...put('soon', await named('soon', ['q.test'], { from: -20, until: 20 })), label: 'certificates[1]' },
  ]
  const day = 86_400_000
  let now = Date.now()
  const log: LogLine[] = []
  const expiries = makeExpiries(
    () => now,
    (line) => void log.push(line),
  )
  await certificatesOfFiles(files, { now: () => now, log: () => undefined, expiries }).first()
  const left = () => [...expiries.gauges()].map(([label, seconds]) => [label, Math.round((seconds * 1000) / day)])
  expect(left()).toEqual([
    ['certificate="certificates[0]"', 50],
    ['certificate="certificates[1]"', 20],
  ])
  const told = () => {
    expiries.look()
    expiries.look()
    return log.splice(0).map(({ level, certificate, message }) => `${level} ${certificate} ${message}`)
  }
  expect(told()).toEqual([])
  // A fifth of a life of 40 days is 8; of one of 100 it would be 20, and 14 are the most.
  now += 13 * day
  expect(told()).toEqual(['warn certificates[1] certificate expires soon'])
  now += day / 2
  expect(told()).toEqual([])
  now += 8 * day
  expect(told()).toEqual(['error certificates[1] certificate has expired'])
  expect(left()[1]?.[1]).toBeLessThan(0)
  now += 15 * day
  expect(told()).toEqual([
    'warn certificates[0] certificate expires soon',
    'error certificates[1] certificate has expired',
  ])
})
