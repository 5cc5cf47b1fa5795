/** Secrets at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, bound to what the secret is. */
import { type Bytes, concat, utf8 } from './bytes.ts'

export interface Sealer {
  /** `nonce`: 12 fresh random bytes. `about` must be the same when it is opened: a sealed secret cannot stand in for another. */
  seal(about: string, nonce: Bytes, secret: Uint8Array<ArrayBuffer>): Promise<Bytes>
  /** undefined: not sealed under this key, for this use, or altered. */
  open(about: string, sealed: Bytes): Promise<Bytes | undefined>
}

const nonceLength = 12

export function sealerOf(secret: Bytes): Sealer {
  const key = () => crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const parameters = (about: string, iv: Bytes) => ({ name: 'AES-GCM', iv, additionalData: utf8(about) })
  return {
    seal: async (about, nonce, plain) => {
      if (nonce.length !== nonceLength) throw new TypeError('A nonce of AES-GCM has 12 bytes')
      const sealed = await crypto.subtle.encrypt(parameters(about, nonce), await key(), plain)
      return concat(nonce, new Uint8Array(sealed))
    },
    open: async (about, sealed) => {
      const [nonce, content] = [sealed.slice(0, nonceLength), sealed.slice(nonceLength)]
      try {
        return new Uint8Array(await crypto.subtle.decrypt(parameters(about, nonce), await key(), content))
      } catch {
        return undefined
      }
    },
  }
}
