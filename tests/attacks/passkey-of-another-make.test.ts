/** A cluster takes certain makes of passkeys only: by no link does anybody register another, whoever made the link. */
import { expect, test } from 'vitest'
import type { Json } from '../../core/intent.ts'
import { offerRecovery } from '../../core/login/recovery.ts'
import type { CreationOptions } from '../authenticator.ts'
import { makeRoot, pemOf } from '../core/certificates.ts'
import { lastRefusal, newEdge, terminal } from '../edge.ts'
import { acceptBody, invite, newAdmin, newPerson, type Person, recoveryBody, reset } from '../people.ts'

const open = { allowedCas: [], deniedCas: [], allowedAaguids: [], deniedAaguids: [], backupEligible: true }

type Strict = Awaited<ReturnType<typeof newEdge>>
interface Link {
  readonly begin: readonly [path: string, body: Json]
  readonly finish: readonly [path: string, body: (strict: Strict, by: ReturnType<Strict['visitor']>) => Promise<Json>]
}

const byInvite = ({ id, key }: Awaited<ReturnType<typeof invite>>): Link => ({
  begin: ['/v1/invites/begin', { invite: id }],
  finish: ['/v1/invites/finish', async (strict, by) => acceptBody(by, await strict.authenticator(), { id, key })],
})

/** Made before the cluster was strict. */
const links: Record<string, (admin: Person) => Promise<Link>> = {
  'an invitation': async (admin) => byInvite(await invite(admin, 'Bob')),
  'a reset': async (admin) => {
    await newPerson(admin, 'Bob')
    return byInvite(await reset(admin, 'Bob'))
  },
  'a recovery': async ({ edge }) => {
    const { secret } = await offerRecovery(edge.ports, terminal, 'Ada')
    return {
      begin: ['/v1/recovery/begin', { secret }],
      finish: ['/v1/recovery/finish', async (strict, by) => recoveryBody(by, await strict.authenticator(), secret)],
    }
  },
}

test.each(Object.entries(links))('%s asks for an attestation, and without it lets nobody in', async (_, linkOf) => {
  const admin = await newAdmin()
  const { begin, finish } = await linkOf(admin)
  const attestation = { ...open, allowedCas: [pemOf((await makeRoot()).der)] }
  const strict = await newEdge({ store: admin.edge.store, preference: { attestation } })
  const visitor = strict.visitor()
  const { options } = (await visitor.post(...begin)).json as { options: CreationOptions & { attestation: string } }
  expect(options.attestation).toBe('direct')
  const before = strict.rows('select id, removed_at from credentials')
  const [path, bodyBy] = finish
  const reply = await visitor.post(path, await bodyBy(strict, visitor))
  expect(reply.status).toBeGreaterThanOrEqual(400)
  expect(lastRefusal(strict)).toBe('attestation_refused')
  expect(strict.rows('select id, removed_at from credentials')).toEqual(before)
})
