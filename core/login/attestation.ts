/** Whether a new passkey's authenticator is one that the policy takes (WebAuthn Level 3 section 7.1 steps 23 to 25). */
import type { AttestationPolicy } from '../access/preference.ts'
import { base64url, fromBase64url } from '../lib/bytes.ts'
import { type Certificate, parseCertificate, subjectText } from '../lib/certificate.ts'
import { judgeChain } from '../lib/certificate-chain.ts'
import { sha256 } from '../lib/hash.ts'
import type { Instant } from '../model.ts'
import { Refusal } from '../refusal.ts'
import type { Format } from './attestation-statement.ts'
import { asksForCertificates } from './options.ts'

/** What a registration shows of its authenticator, its statement checked. */
export interface Attested {
  readonly format: Format
  /** In the form of a UUID. */
  readonly aaguid: string
  readonly backupEligible: boolean
  /** Leaf first. Empty: no attestation, or with `packed` the passkey's own. */
  readonly chain: readonly Certificate[]
}

/** What is known of a passkey's authenticator, and from whom. */
export interface Attestation {
  readonly format: Format
  /**
   * `chain`: certificates lead to a CA as the policy has it. `self`: the passkey signed for itself. `none`: it showed nothing,
   * or certificates that nobody asked for.
   */
  readonly trust: 'none' | 'self' | 'chain'
  /** With `chain`: the allowed CA, or the last one shown where the policy only denies. `hash`: SHA-256 of its DER, base64url. */
  readonly ca: { readonly subject: string; readonly hash: string } | undefined
}

const longestList = 64

/** Of a statement that was checked. @throws Refusal attestation_refused */
export async function requireAttestation(
  policy: AttestationPolicy | undefined,
  attested: Attested,
  now: Instant,
): Promise<Attestation> {
  const { format, aaguid, chain } = attested
  const refused = (why: string) => new Refusal('attestation_refused', { why, format, aaguid })
  const why = policy && whyNotModel(policy, attested)
  if (why !== undefined) throw refused(why)
  const isSelf = format === 'packed' && chain.length === 0
  if (!asksForCertificates(policy)) return { format, trust: isSelf ? 'self' : 'none', ca: undefined }

  if (chain.length === 0) throw refused(isSelf ? 'self attestation' : 'no attestation')
  const [allowed, denied] = [authoritiesOf(policy.allowedCas), authoritiesOf(policy.deniedCas)]
  // To leave out one that cannot be read would let in what it denies.
  if (!allowed || !denied) throw refused('policy: its CAs')
  const judged = await judgeChain(chain, { allowed, denied }, now)
  if (judged.kind === 'refused') throw refused(judged.why)
  const ca = { subject: subjectText(judged.ca), hash: base64url(sha256(judged.ca.der)) }
  return { format, trust: 'chain', ca }
}

/** An AAGUID is the authenticator's own word, unless its attestation is asked for as well. */
function whyNotModel(policy: AttestationPolicy, { aaguid, backupEligible }: Attested): string | undefined {
  const names = (list: readonly string[]) => list.some((one) => one.toLowerCase() === aaguid)
  if (!policy.backupEligible && backupEligible) return 'may be synced'
  if (names(policy.deniedAaguids)) return 'a denied AAGUID'
  return policy.allowedAaguids.length > 0 && !names(policy.allowedAaguids) ? 'no allowed AAGUID' : undefined
}

function authoritiesOf(list: readonly string[]): readonly Certificate[] | undefined {
  const certificates = list.slice(0, longestList).flatMap((pem) => certificateOf(pem) ?? [])
  return certificates.length === list.length ? certificates : undefined
}

const block = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/\s]+)={0,2}\s*-----END CERTIFICATE-----\s*$/

function certificateOf(pem: string): Certificate | undefined {
  const base64 = block.exec(pem)?.[1]?.replace(/\s/g, '')
  const bytes = base64 && fromBase64url(base64.replaceAll('+', '-').replaceAll('/', '_'))
  const parsed = bytes ? parseCertificate(bytes) : undefined
  return parsed?.kind === 'value' ? parsed.value : undefined
}
