/** The same person in every process of a test. */
import type { CredentialId, Fingerprint, User, UserId } from '../../core/model.ts'
import { newCredential } from './contract/world.ts'

export const sharedUser: User = { id: 'shared' as UserId, name: 'Ada' }
export const sharedCredential = newCredential(sharedUser.id, {
  id: 'shared' as CredentialId,
  name: 'Shared',
  fingerprint: 'shared' as Fingerprint,
})
