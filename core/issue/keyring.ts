/**
 * The keys that sign tokens (Ed25519). There are always a current and a next one: the next is published before it signs, so
 * that a stale copy of the key set knows it, and a rotation logs nobody out. What is retired stays published for a day.
 */
import { type Bytes, base64url, fromBase64url, utf8 } from '../lib/bytes.ts'
import { hmac, hmacIsRight } from '../lib/hash.ts'
import { jwkThumbprint, type OkpJwk } from '../lib/jwk.ts'
import { type Duration, hours, type Instant, minutes, seconds } from '../model.ts'
import type { Ports } from '../ports.ts'
import type { StoredSigningKey } from '../token-ports.ts'

export interface SigningKey {
  readonly kid: string
  readonly key: CryptoKey
}
export type PublishedJwk = OkpJwk & { readonly kid: string; readonly alg: 'EdDSA'; readonly use: 'sig' }

export interface Keyring {
  /** Signs from now on. Made with the next one where a cluster has none yet. */
  current(): Promise<SigningKey>
  /** undefined: no key of ours that anything of ours may still be signed with. */
  verifier(kid: string): Promise<CryptoKey | undefined>
  /** RFC 7517. Perhaps a copy out of KV: minutes old, and sealed, so that nobody can put a key of his own into it. */
  published(): Promise<readonly PublishedJwk[]>
  /** After a rotation here; elsewhere it is seen within a minute. */
  forget(): void
}

type Needs = Pick<Ports, 'keys' | 'random' | 'now' | 'signingKeys' | 'copies'>

const memoryTtl: Duration = minutes(1)
/** An unknown kid may be of a key made elsewhere just now; whoever sends many of them may not make us read each time. */
const rereadAfter: Duration = seconds(5)
const publishedAfterRetirement: Duration = hours(24)
const copyName = 'jwks'
const copyTtl: Duration = minutes(5)

interface Loaded {
  readonly at: Instant
  readonly rows: readonly StoredSigningKey[]
  readonly verifiers: ReadonlyMap<string, CryptoKey>
  readonly current: SigningKey
}

export function makeKeyring(ports: Needs): Keyring {
  const { now } = ports
  let loaded: Loaded | undefined
  let copied: Loaded | undefined
  let rereadAt: Instant = 0
  // No request waits for what another has asked: on Workers that may be cancelled. So several may load at once.
  const load = async (freshFor: Duration): Promise<Loaded> => {
    if (loaded && now() - loaded.at < freshFor) return loaded
    const fresh = await loadKeys(ports)
    loaded = fresh
    return fresh
  }
  return {
    current: async () => (await load(memoryTtl)).current,
    verifier: async (kid) => {
      const before = loaded
      const ring = await load(memoryTtl)
      const known = ring.verifiers.get(kid)
      if (known || ring !== before || now() - rereadAt < rereadAfter) return known
      rereadAt = now()
      return (await load(0)).verifiers.get(kid)
    },
    published: async () => {
      if (!loaded || now() - loaded.at >= memoryTtl) {
        const copy = await findCopy(ports)
        if (copy) return copy
      }
      const ring = await load(memoryTtl)
      const jwks = publishedOf(ring.rows, now())
      // Once for what was read: KV takes one write a second for a name, and each costs.
      if (copied !== ring) await keepCopy(ports, jwks)
      copied = ring
      return jwks
    },
    forget: () => {
      loaded = undefined
    },
  }
}

async function loadKeys(ports: Needs): Promise<Loaded> {
  const at = ports.now()
  let rows = await ports.signingKeys.list()
  if (rows.length === 0) {
    await ports.signingKeys.begin([await newSigningKey(ports, 1, at), await newSigningKey(ports, 2, undefined)])
    rows = await ports.signingKeys.list()
  }
  const trusted = rows.filter((row) => isTrusted(row, at))
  const verifiers = await Promise.all(trusted.map(async (row) => [row.kid, await importVerifier(row.x)] as const))
  return { at, rows, verifiers: new Map(verifiers), current: await openCurrent(ports, rows) }
}

/** Whether anything that it signed may still be in use. The next one has signed nothing. */
const isTrusted = ({ activatedAt, retiredAt }: StoredSigningKey, at: Instant): boolean =>
  activatedAt !== undefined && (retiredAt === undefined || retiredAt + publishedAfterRetirement > at)

const importVerifier = (x: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x }, 'Ed25519', false, ['verify'])

async function openCurrent({ keys }: Needs, rows: readonly StoredSigningKey[]): Promise<SigningKey> {
  const row = rows.find(({ activatedAt, retiredAt }) => activatedAt !== undefined && retiredAt === undefined)
  const pkcs8 = row?.sealed && (await keys.sealer.open(sealedAs(row.kid), row.sealed))
  // Whoever can write the database can break tokens in this way, not forge them.
  if (!row || !pkcs8) throw new TypeError('The current signing key cannot be opened with SALLYPORT_KEY')
  return { kid: row.kid, key: await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']) }
}

const sealedAs = (kid: string): string => `signing key ${kid}`

export async function newSigningKey(
  { keys, random, now }: Pick<Ports, 'keys' | 'random' | 'now'>,
  generation: number,
  activatedAt: Instant | undefined,
): Promise<StoredSigningKey> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair
  const x = base64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)))
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  const kid = jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })
  const sealed = await keys.sealer.seal(sealedAs(kid), random(12), pkcs8)
  return { generation, kid, x, sealed, createdAt: now(), activatedAt, retiredAt: undefined }
}

export type SigningKeyState = 'next' | 'current' | 'retired'

export function stateOf({ activatedAt, retiredAt }: StoredSigningKey): SigningKeyState {
  if (retiredAt !== undefined) return 'retired'
  return activatedAt === undefined ? 'next' : 'current'
}

export const publishedOf = (rows: readonly StoredSigningKey[], at: Instant): PublishedJwk[] =>
  rows
    .filter((row) => row.activatedAt === undefined || isTrusted(row, at))
    .map(({ kid, x }) => ({ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }))

/** `JSON.MAC`. A writer of KV can put back an older key set, whose keys were ours, and no other. */
async function findCopy({ copies, keys }: Needs): Promise<PublishedJwk[] | undefined> {
  const [content = '', seal = ''] = ((await copies.find(copyName)) ?? '').split('.')
  const [bytes, mac] = [fromBase64url(content), fromBase64url(seal)]
  if (!bytes || !mac || !hmacIsRight(keys.copies, mac, sealed(bytes))) return undefined
  return JSON.parse(new TextDecoder().decode(bytes)) as PublishedJwk[]
}

async function keepCopy({ copies, keys }: Needs, jwks: readonly PublishedJwk[]): Promise<void> {
  const content = utf8(JSON.stringify(jwks))
  await copies.keep(copyName, `${base64url(content)}.${base64url(hmac(keys.copies, sealed(content)))}`, copyTtl)
}

const sealed = (content: Bytes): Bytes => utf8(`${copyName}\0${base64url(content)}`)
