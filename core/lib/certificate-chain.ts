/**
 * Whether certificates lead to one that somebody trusts (RFC 5280 section 6, for a path that is given). Each must certify
 * the one before it, as WebAuthn's `x5c` has them: with no search for a path there is none to be led astray in.
 */
import { equalBytes } from './bytes.ts'
import { type Certificate, isSignedBy, longestChain } from './certificate.ts'
import { booleanOf, derOf, elementsOf, numberOf, tags } from './der.ts'

export interface Authorities {
  /** Empty: any, but those that are denied. */
  readonly allowed: readonly Certificate[]
  readonly denied: readonly Certificate[]
}

/** `ca`: the allowed one; the last of the chain where any is. */
export type Judged =
  | { readonly kind: 'trusted'; readonly ca: Certificate }
  | { readonly kind: 'refused'; readonly why: string }

const refused = (why: string) => ({ kind: 'refused', why }) as const

const basicConstraints = '2.5.29.19'
const keyUsage = '2.5.29.15'

/** What is looked at when it is critical: besides the two above names, purposes and policies, which an authenticator's maker sets. */
const known: ReadonlySet<string> = new Set([basicConstraints, keyUsage, '2.5.29.17', '2.5.29.32', '2.5.29.37'])

/** Of a chain, leaf first. What denies wins over what allows. `now` in ms. */
export async function judgeChain(
  chain: readonly Certificate[],
  { allowed, denied }: Authorities,
  now: number,
): Promise<Judged> {
  const broken = await whyBroken(chain, now)
  if (broken !== undefined) return refused(broken)
  const anchors = await anchorsOf(chain, allowed, now)
  if (await leadsTo([...chain, ...anchors], denied)) return refused('a denied CA')
  const ca = allowed.length > 0 ? anchors[0] : chain.at(-1)
  return ca ? { kind: 'trusted', ca } : refused('no allowed CA')
}

async function whyBroken(chain: readonly Certificate[], now: number): Promise<string | undefined> {
  if (chain.length > longestChain) return `more than ${longestChain} certificates`
  for (const [at, certificate] of chain.entries()) {
    if (chain.slice(0, at).some(({ der }) => equalBytes(der, certificate.der)))
      return `certificate ${at}: a second time`
    const before = chain[at - 1]
    const why =
      whyUnfit(certificate, now) ?? (before ? await whyNoIssuer(certificate, before, at - 1) : whyNoLeaf(certificate))
    if (why !== undefined) return `certificate ${at}: ${why}`
  }
  return undefined
}

function whyUnfit({ notBefore, notAfter, extensions }: Certificate, now: number): string | undefined {
  if (now < notBefore) return 'not yet valid'
  if (now > notAfter) return 'expired'
  for (const [oid, { critical }] of extensions)
    if (critical && !known.has(oid)) return `unknown critical extension ${oid}`
  return undefined
}

const whyNoLeaf = (leaf: Certificate): string | undefined => (authorityOf(leaf) === false ? undefined : 'a CA')

/** `between`: the CAs that stand between this one and the leaf. */
async function whyNoIssuer(ca: Certificate, issued: Certificate, between: number): Promise<string | undefined> {
  const authority = authorityOf(ca)
  if (!authority) return 'no CA'
  if (between > authority.longestPath) return 'path length'
  if (!maySignCertificates(ca)) return 'key usage'
  if (!equalBytes(ca.subject, issued.issuer)) return 'not the issuer by name'
  return (await signed(issued, ca)) ? undefined : 'not the issuer by signature'
}

/** BasicConstraints (section 4.2.1.9): false is no CA, undefined is nothing that can be read. */
function authorityOf({ extensions }: Certificate): { longestPath: number } | false | undefined {
  const extension = extensions.get(basicConstraints)
  if (!extension) return false
  const fields = elementsOf(derOf(extension.value, tags.sequence), tags.sequence)
  if (fields?.length === 0) return false
  const [first, second, ...rest] = fields ?? []
  const isCa = booleanOf(first)
  if (isCa === undefined || rest.length > 0) return undefined
  if (!isCa) return false
  const longestPath = second === undefined ? longestChain : numberOf(second)
  return longestPath === undefined ? undefined : { longestPath }
}

/** KeyUsage (section 4.2.1.3): bit 5, where it says anything at all. */
function maySignCertificates({ extensions }: Certificate): boolean {
  const extension = extensions.get(keyUsage)
  if (!extension) return true
  return ((derOf(extension.value, tags.bits)?.content[1] ?? 0) & 0x04) !== 0
}

const signed = async (
  { scheme, signature, signed: content }: Certificate,
  { publicKey }: Certificate,
): Promise<boolean> => scheme !== undefined && (await isSignedBy(publicKey, scheme, signature, content))

/** The allowed ones that are in the chain, or have issued what is in it. */
async function anchorsOf(
  chain: readonly Certificate[],
  allowed: readonly Certificate[],
  now: number,
): Promise<Certificate[]> {
  const anchors: Certificate[] = []
  for (const ca of allowed) {
    if (whyUnfit(ca, now) !== undefined) continue
    for (const [at, certificate] of chain.entries()) {
      const isIt = equalBytes(ca.der, certificate.der)
      if (isIt || (await whyNoIssuer(ca, certificate, at)) === undefined) anchors.push(ca)
    }
  }
  return anchors
}

/**
 * By key, and whatever the names, dates and constraints say: a denied CA stays denied in a certificate that another one
 * gave it, after its end, and under another name.
 */
async function leadsTo(chain: readonly Certificate[], denied: readonly Certificate[]): Promise<boolean> {
  for (const ca of denied) {
    for (const certificate of chain) {
      if (equalBytes(ca.publicKey, certificate.publicKey) || (await signed(certificate, ca))) return true
    }
  }
  return false
}
