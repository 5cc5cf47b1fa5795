import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { pinOf } from '../../core/issue/pin.ts'
import { dial, startProxy } from './proxy.ts'

const spkiOf = (certificate: X509Certificate) =>
  new Uint8Array(certificate.publicKey.export({ type: 'spki', format: 'der' }))

test('a client that trusts nothing yet sees the authority in the chain, and its pin is that of ca.pem', async () => {
  const proxy = await startProxy({ edge: 'http://localhost:1' })
  const { socket } = await dial(proxy, { ca: [], rejectUnauthorized: false })
  const { issuerCertificate } = socket.getPeerCertificate(true)
  const seen = new X509Certificate(issuerCertificate.raw)
  expect(seen.ca).toBe(true)
  expect(pinOf(spkiOf(seen))).toBe(pinOf(spkiOf(new X509Certificate(proxy.ca))))
})
