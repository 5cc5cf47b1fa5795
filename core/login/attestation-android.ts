/** Attestation of Android's key store (WebAuthn Level 3 section 8.4). */
import { equalBytes } from '../lib/bytes.ts'
import type { Certificate } from '../lib/certificate.ts'
import { type Der, derOf, elementsOf, explicit, numberOf, octetsOf, tags, within } from '../lib/der.ts'
import { isKeyOf, type Statement, whyNotSigned } from './attestation-key.ts'

const keyDescription = '1.3.6.1.4.1.11129.2.1.17'
/** Numbers of an AuthorizationList. */
const list = { purpose: 1, allApplications: 600, origin: 702 }
const [sign, generated] = [2, 0]

export function whyNotAndroidKey(statement: Statement, leaf: Certificate) {
  if (!isKeyOf(leaf, statement.key)) return 'leaf: another key'
  const description = leaf.extensions.get(keyDescription)
  return (
    whyOtherDescription(statement, elementsOf(derOf(description?.value, tags.sequence), tags.sequence) ?? []) ??
    whyNotSigned(statement, leaf)
  )
}

/**
 * KeyDescription. Of the two lists the specification lets a relying party read the one that the trusted environment
 * enforces, which is what an attestation is asked for: the other is the word of the operating system.
 */
function whyOtherDescription({ clientDataHash }: Statement, description: readonly Der[]): string | undefined {
  const [, , , , challenge, , software, trusted] = description
  const given = octetsOf(challenge)
  if (!given || !equalBytes(given, clientDataHash)) return 'leaf: challenge'
  const [softwareEnforced, teeEnforced] = [elementsOf(software, tags.sequence), elementsOf(trusted, tags.sequence)]
  if (!softwareEnforced || !teeEnforced) return 'leaf: key description'
  const isOfAll = ({ tag }: Der) => tag === explicit(list.allApplications)
  if ([...softwareEnforced, ...teeEnforced].some(isOfAll)) return 'leaf: a key of all applications'
  const the = (number: number) => teeEnforced.find(({ tag }) => tag === explicit(number))
  if (numberOf(within(the(list.origin), list.origin, tags.integer)) !== generated) return 'leaf: origin'
  const purposes = elementsOf(within(the(list.purpose), list.purpose, tags.set), tags.set)?.map((one) => numberOf(one))
  return purposes?.length === 1 && purposes[0] === sign ? undefined : 'leaf: purpose'
}
