/**
 * An ES256 passkey that signs synchronously: WebCrypto's trip over the thread pool would cost the load generator more
 * than the signature. tests/authenticator.ts is the complete one.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export class Passkey {
  readonly id: string
  /** SHA-256 of the COSE_Key, base64url. */
  readonly publicKeyHash: string
  readonly #origin: string
  readonly #rpIdHash: Buffer
  readonly #key: KeyObject
  readonly #attested: Buffer
  #counter = 0
  #userHandle = ''

  constructor(rpId: string, origin: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const id = randomBytes(32)
    this.id = id.toString('base64url')
    this.#origin = origin
    this.#rpIdHash = sha256(rpId)
    this.#key = privateKey
    // COSE_Key of ES256 in its canonical order: kty EC2, alg -7, crv P-256, x, y.
    const cose = Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      Buffer.from(x, 'base64url'),
      Buffer.from('225820', 'hex'),
      Buffer.from(y, 'base64url'),
    ])
    this.publicKeyHash = sha256(cose).toString('base64url')
    this.#attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, cose])
  }

  registration({ challenge, user }: { challenge: string; user: { id: string } }) {
    this.#userHandle = user.id
    const authData = Buffer.concat([this.#authenticatorData(0x45), this.#attested])
    // {fmt: "none", attStmt: {}, authData: h'...'}
    const head = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex')
    const attestationObject = Buffer.concat([head, Buffer.from([authData.length]), authData]).toString('base64url')
    const clientDataJSON = this.#clientData('webauthn.create', challenge).toString('base64url')
    return { ...this.#envelope(), response: { clientDataJSON, attestationObject, transports: ['internal'] } }
  }

  assertion(challenge: string) {
    this.#counter += 1
    const clientData = this.#clientData('webauthn.get', challenge)
    const data = this.#authenticatorData(0x05)
    const signature = sign('sha256', Buffer.concat([data, sha256(clientData)]), this.#key)
    return {
      ...this.#envelope(),
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: this.#userHandle,
      },
    }
  }

  #envelope() {
    return { id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} } as const
  }

  #clientData(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.#origin, crossOrigin: false }))
  }

  #authenticatorData(flags: number): Buffer {
    const tail = Buffer.alloc(5)
    tail.writeUInt8(flags, 0)
    tail.writeUInt32BE(this.#counter, 1)
    return Buffer.concat([this.#rpIdHash, tail])
  }
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}
