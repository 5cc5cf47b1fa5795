/**
 * Passkeys of others. Somebody who was invited has one that approves nothing: an administrator whose passkey may do so lets it, with a
 * tap that names the key by its fingerprint. The tap is kept with the passkey.
 */
import { recordingRefusals } from '../audit.ts'
import type { Credential, Site, User } from '../model.ts'
import type { Ports } from '../ports.ts'
import { Refusal } from '../refusal.ts'
import { type ApprovalNeeds, type Request, standingEvent, withApproval } from './approved.ts'
import { addedLines, linesOf, titleLine } from './difference.ts'
import type { Principal } from './principal.ts'
import type { Foreseen } from './subject.ts'

type Reading = Pick<Ports, 'users' | 'credentials'>

/** Whose it is, and what its user calls it. */
export interface Naming {
  readonly user: string
  readonly passkey: string
}

/** @throws Refusal user_unknown */
export async function passkeysOf(ports: Reading, name: string): Promise<{ user: User; all: readonly Credential[] }> {
  const user = await ports.users.find(name)
  if (!user) throw new Refusal('user_unknown')
  return { user, all: await ports.credentials.of(user.id) }
}

/** @throws Refusal user_unknown, passkey_unknown, passkey_vouches */
export async function foreseeEntrusting(ports: Reading, naming: Naming): Promise<Foreseen> {
  const { user, passkey } = await requireLesser(ports, naming)
  return entrustingOf(user, passkey)
}

async function requireLesser(ports: Reading, naming: Naming) {
  const { user, all } = await passkeysOf(ports, naming.user)
  const passkey = all.find(({ name }) => name === naming.passkey)
  if (!passkey) throw new Refusal('passkey_unknown', { of: user.id })
  if (passkey.mayVouch) throw new Refusal('passkey_vouches', { credential: passkey.id })
  return { user, passkey }
}

function entrustingOf(user: User, { name, fingerprint, createdAt }: Credential): Foreseen {
  const lines = linesOf({ user: user.name, passkey: name, fingerprint, created_at: new Date(createdAt).toISOString() })
  const title = titleLine('From now on this passkey admits people and approves what administrators do')
  const summary = `Let the passkey "${name}" of ${user.name} approve administrative actions`
  return { summary, revision: fingerprint, changes: [title, ...addedLines(lines)].join('\n'), key: 'vouching' }
}

type Needs = ApprovalNeeds & Pick<Ports, 'users' | 'audit'>

/** @throws Refusal user_unknown, passkey_unknown, passkey_vouches, and those of every tap */
export function entrustPasskey(
  site: Site,
  ports: Needs,
  principal: Principal,
  naming: Naming,
  request: Request,
): Promise<{ user: string; passkey: string }> {
  return recordingRefusals(ports, principal.asking, 'passkey.entrust', async () => {
    const { user, passkey } = await requireLesser(ports, naming)
    const expected = entrustingOf(user, passkey)
    await withApproval(site, ports, principal, 'passkeyEntrust', request, expected, async (approved, { actor }) => {
      const detail = { of: user.name, passkey: passkey.name, fingerprint: passkey.fingerprint }
      const event = standingEvent(ports, principal, approved, request, 'passkey.entrust', detail)
      const { id: credentialId, fingerprint } = passkey
      await ports.credentials.entrust(actor, { credentialId, userId: user.id, fingerprint }, event)
    })
    return { user: user.name, passkey: passkey.name }
  })
}
