/**
 * The passkeys of a name that has none, or that nobody has. A browser must be told which passkeys to ask for before anybody has shown
 * who he is; were strangers told nothing, an answer would say who is here. So they follow from the name: the same each time.
 */
import type { Keys } from '../keys.ts'
import { base64url, utf8 } from '../lib/bytes.ts'
import { hmac } from '../lib/hash.ts'
import type { Credential, CredentialId } from '../model.ts'

type Known = Pick<Credential, 'id' | 'kind' | 'transports' | 'rpId'>

/** What makes of authenticator really answer: the length of their ids in bytes, and how browsers reach them; the kind too, since what a browser is told of verification follows from it. */
const makes: readonly (Pick<Credential, 'kind' | 'transports'> & { readonly length: number })[] = [
  { kind: 'passkey', length: 16, transports: ['hybrid', 'internal'] },
  { kind: 'passkey', length: 20, transports: ['hybrid', 'internal'] },
  { kind: 'passkey', length: 32, transports: ['internal'] },
  { kind: 'passkey', length: 48, transports: ['usb', 'nfc'] },
  { kind: 'security_key', length: 48, transports: ['usb', 'nfc'] },
  { kind: 'security_key', length: 64, transports: ['usb'] },
]

/** `rpIds`: all that the cluster takes, since real ones may be of any. `name`: HMAC of the name's key. */
export function madeUpPasskeys(rpIds: readonly string[], { madeUp }: Pick<Keys, 'madeUp'>, name: string): Known[] {
  const bytes = (what: string) => hmac(madeUp, utf8(`${what}\0${name}`))
  const [count = 0, ...kinds] = bytes('kinds')
  const [which = 0] = bytes('relying party')
  const rpId = rpIds[which % rpIds.length] ?? ''
  // Most people have one or two.
  return kinds.slice(0, 1 + (count & 1)).map((kind, i) => {
    const { length, ...make } = makes[kind % makes.length] as (typeof makes)[number]
    const id = [...bytes(`first ${i}`), ...bytes(`second ${i}`)].slice(0, length)
    return { id: base64url(new Uint8Array(id)) as CredentialId, ...make, rpId }
  })
}
