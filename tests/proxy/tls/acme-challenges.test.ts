/** `acme-tls/1` (RFC 8737): answered for exactly the name whose challenge is open, as long as it is, and with nothing behind it. */
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { accountKey, issueChallengeCertificate, keyAuthorization } from '../../../core/issue/acme.ts'
import { newKeys } from '../../../core/issue/x509.ts'
import { utf8 } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import { pemOf } from '../../../proxy/acme/store.ts'
import { atEnd, dial, local, needs, startProxy, until } from '../proxy.ts'
import { routeOf, startTlsService } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'

const acme = { directory: 'https://localhost:1/directory', email: undefined, caFile: undefined }
const protocol = 'acme-tls/1'
const refusedProtocol = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'

async function challengeFor(name: string) {
  const authorization = keyAuthorization('token', await accountKey(await newKeys()))
  const { certificate, keys } = await issueChallengeCertificate(needs, name, authorization)
  const shown = { cert: new X509Certificate(certificate).toString(), key: pemOf(keys.privateKey) }
  return { authorization, shown }
}

async function withChallenge(name = 'localhost', options: Partial<Parameters<typeof startProxy>[0]> = {}) {
  const proxy = await startProxy({
    edge: 'http://localhost:1',
    acme: { ...acme, names: [name] },
    limits: { drainMs: 50 },
    ...options,
  })
  const { shown, authorization } = await challengeFor(name)
  const close = proxy.own.acme?.challenges.open(name, shown) as () => void
  atEnd(close)
  const asking = (servername: string, ALPNProtocols = [protocol]) =>
    dial(proxy, { servername, ALPNProtocols, rejectUnauthorized: false })
  return { proxy, shown, authorization, close, asking }
}

test('the certificate is for the name alone, signed by itself, and holds the hash in a critical extension', async () => {
  const { authorization, shown, asking } = await withChallenge()
  const { socket, closed, said, send } = await asking('localhost')
  expect(socket.alpnProtocol).toBe(protocol)
  const { raw } = socket.getPeerX509Certificate() as X509Certificate
  const certificate = new X509Certificate(raw)
  expect(certificate.toString()).toBe(shown.cert)
  expect(certificate.subjectAltName).toBe('DNS:localhost')
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  // id-pe-acmeIdentifier, TRUE, and an OCTET STRING within one (RFC 8737 section 3).
  const digest = Buffer.from(sha256(utf8(authorization))).toString('hex')
  expect(raw.toString('hex')).toContain(`06082b0601050507011f0101ff04220420${digest}`)
  send('x')
  expect(await closed).toBeUndefined()
  expect(said()).toBe('')
})

test('no other name is answered, no other offer, and nothing once it is closed', async () => {
  const { proxy, close, asking } = await withChallenge('localhost', {
    names: { ...local, dns: ['localhost', 'other.test'] },
  })
  expect(await (await asking('other.test')).closed).toBe(refusedProtocol)
  expect(await (await asking('')).closed).toBe(refusedProtocol)
  expect(await (await asking('unknown.test')).closed).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
  expect(await (await asking('localhost', [protocol, 'http/1.1'])).closed).toBe(refusedProtocol)
  const ordinary = await asking('localhost', ['http/1.1'])
  expect(ordinary.socket.getPeerCertificate().subject.CN).toBe('Sallyport proxy')
  close()
  expect(await (await asking('localhost')).closed).toBe(refusedProtocol)
  expect(proxy.codes()).not.toContain('handshake_failed')
})

test('without a challenge no route whose TLS ends here sees it, whatever it takes', async () => {
  const service = await startService(() => undefined)
  const route = routeOf({ sni: ['app.test'], tls: 'terminate', backends: [service.uri] })
  const { asking } = await withChallenge('localhost', { routes: [route] })
  expect(await (await asking('app.test')).closed).toBe(refusedProtocol)
  expect(await (await asking('app.test', ['h2', protocol])).closed).toBe(refusedProtocol)
  expect(service.connections).toEqual([])
})

test('a passthrough that names it wins over an open challenge; one that takes whatever is offered does not', async () => {
  const service = await startTlsService('there', { ALPNProtocols: [protocol] })
  const passing = { tls: 'passthrough', backends: [service.uri] } as const
  const named = routeOf({ name: 'named', sni: ['a.test'], alpn: [protocol], ...passing })
  const winning = await withChallenge('a.test', { routes: [named] })
  const through = await winning.asking('a.test')
  await until(() => through.said() === `there a.test ${protocol}\n`)
  const rest = routeOf({ name: 'rest', sni: ['b.test'], ...passing })
  const losing = await withChallenge('b.test', { routes: [rest] })
  expect((await losing.asking('b.test')).socket.getPeerX509Certificate()?.toString()).toBe(losing.shown.cert)
  // Of its own challenges its service takes care, when none is open here.
  losing.close()
  const own = await losing.asking('b.test')
  await until(() => own.said() === `there b.test ${protocol}\n`)
})
