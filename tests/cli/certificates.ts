/** Real certificates: a CA, one below it, and what they issue. */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 86_400_000

export interface Issued {
  readonly pem: string
  /** PKCS #8. */
  readonly key: string
  readonly certificate: x509.X509Certificate
  readonly keys: CryptoKeyPair
}

interface Wish {
  readonly by?: Issued
  readonly isCa?: boolean
  readonly names?: readonly string[]
  readonly ips?: readonly string[]
  /** Days from now. */
  readonly from?: number
  readonly until?: number
  readonly keys?: CryptoKeyPair
  readonly isForServers?: boolean
}

export async function issue(
  name: string,
  { by, isCa = false, names = [], ips = [], from = -1, until = 30, keys, isForServers = false }: Wish,
): Promise<Issued> {
  const own = keys ?? ((await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair)
  const alternatives = [
    ...names.map((value) => ({ type: 'dns', value }) as const),
    ...ips.map((value) => ({ type: 'ip', value }) as const),
  ]
  const usage = isCa ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: by?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() + from * day),
    notAfter: new Date(Date.now() + until * day),
    publicKey: own.publicKey,
    signingKey: by?.keys.privateKey ?? own.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(isCa, undefined, true),
      new x509.KeyUsagesExtension(usage, true),
      await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(by?.keys.publicKey ?? own.publicKey),
      ...(isForServers ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])] : []),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  })
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', own.privateKey)
  return {
    pem: `${certificate.toString('pem')}\n`,
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    certificate,
    keys: own,
  }
}

export const newCa = (name = 'Test CA', wish: Wish = {}): Promise<Issued> => issue(name, { isCa: true, ...wish })

/** For localhost and 127.0.0.1. */
export const newLeaf = (by: Issued, wish: Wish = {}): Promise<Issued> =>
  issue('localhost', { by, names: ['localhost'], ips: ['127.0.0.1'], ...wish })
