/** codes.issue, redeem and examine: from a tap to the login of a program. */
import { expect } from 'vitest'
import { type Holder, seconds } from '../../../core/model.ts'
import type { CodeClaim } from '../../../core/token-ports.ts'
import { clientSessions, credentials } from '../../../storage/schema.ts'
import { changes, expectRefused } from './changes.ts'
import { lockOut } from './editors.ts'
import { claimOfCode, issuingOf, newCode, redeemingOf, storeCode, twelveHours } from './programs.ts'
import { staleClaims } from './reading.ts'
import { type Cases, claimOf, ends, from, newEvent, newPerson, newSpend, now, tapOf } from './world.ts'

const minute = seconds(60)
const at = (instant: number) => newEvent('client.login', { at: instant })

/** Everything that differs in one thing from what the code was made for. */
const strange = (claim: CodeClaim): Record<string, CodeClaim> => ({
  unknown: { ...claim, hash: 'another' },
  'of another client': { ...claim, clientId: 'another' },
  'for another redirect': { ...claim, redirectUri: 'http://127.0.0.1:49153/callback' },
  verifier: { ...claim, codeChallenge: 'another' },
  'of another key': { ...claim, jkt: 'another' as Holder },
})

export const codes: Cases = {
  'codes.issue spends, moves the counter, stores the code, exchanges the session, writes one audit row, and nothing else':
    async (world) => {
      await newPerson(world)
      const person = await newPerson(world)
      const issuing = issuingOf(person, { tapped: tapOf(person.credential, { counter: 9, backedUp: true }) })
      const { code, session, spend } = issuing
      const done = await changes(world.store, async () =>
        expect(await world.ports.codes.issue(issuing)).toStrictEqual({ expiresAt: ends }),
      )
      const owned = { userId: person.user.id, credentialId: person.credential.id }
      expect(done).toEqual({
        [`+spent ${spend.id}`]: spend,
        [`~credentials ${person.credential.id}`]: { counter: 9, backedUp: true, lastUsedAt: now },
        [`~sessions ${person.session.id}`]: { endedAt: now },
        [`+sessions ${session.id}`]: expect.objectContaining({ ...owned, expiresAt: ends, endedAt: null }),
        [`+codes ${code.hash}`]: { ...code, ...owned, totpId: null, passwordId: null, usedAt: null },
        '+audit client.approve done': expect.objectContaining({ userId: person.user.id }),
      })
    },

  'codes.issue refuses a spent id, a changed passkey, a counter that is not ahead, and a stale session': async (
    world,
  ) => {
    const person = await newPerson(world, { counter: 5 })
    const other = await newPerson(world)
    const tapped = tapOf(person.credential, { counter: 6 })
    const refused = (code: Parameters<typeof expectRefused>[1], more: object) =>
      expectRefused(world, code, () => world.ports.codes.issue(issuingOf(person, { tapped, ...more })))
    await refused('counter_regressed', { tapped: tapOf(person.credential) })
    await refused('credential_changed', { tapped: { ...tapped, fingerprint: 'another' } })
    for (const claim of Object.values({ ...(await staleClaims(world, person)), other: other.claim }))
      await refused('session_missing', { claim })
    const first = issuingOf(person, { tapped })
    await world.ports.codes.issue(first)
    await refused('ticket_spent', { spend: first.spend, claim: claimOf(first.session) })
  },

  'codes.redeem spends proof and code, opens the login for 12 hours from the tap, writes one audit row, and nothing else':
    async (world) => {
      const person = await newPerson(world)
      const code = await storeCode(world, person.credential, { authenticatedAt: now - 5 })
      await storeCode(world, person.credential)
      const redeeming = redeemingOf(code)
      const { clientId, jkt, scope, nonce, intentId, clientSessionId: id } = code
      const expiresAt = now - 5 + twelveHours
      const done = await changes(world.store, async () =>
        expect(await world.ports.codes.redeem(redeeming)).toStrictEqual({
          user: person.user,
          session: { id, clientId, scope, via: 'browser', tapped: true, authenticatedAt: now - 5, expiresAt },
          generation: 1,
          nonce,
        }),
      )
      const owned = { userId: person.user.id, credentialId: person.credential.id }
      expect(done).toEqual({
        [`+spent ${redeeming.spend.id}`]: redeeming.spend,
        [`~codes ${code.hash}`]: { usedAt: now },
        [`+clientSessions ${id}`]: {
          ...{ id, ...owned, clientId, jkt, scope, authenticatedAt: now - 5, generation: 1, rotatedAt: now, expiresAt },
          ...{ totpId: null, via: 'browser', endedAt: null, endReason: null, endedBy: null, ...from },
        },
        '+audit client.login done': expect.objectContaining({ ...owned, sessionId: id, intentId }),
      })
    },

  'codes.redeem refuses a code that is unknown, or of another client, redirect, challenge or key': async (world) => {
    const { credential } = await newPerson(world)
    const code = await storeCode(world, credential)
    await storeCode(world, credential, { hash: 'nobody’s' })
    for (const claim of Object.values(strange(claimOfCode(code))))
      await expectRefused(world, 'code_invalid', () => world.ports.codes.redeem({ ...redeemingOf(code), ...claim }))
    await world.ports.codes.redeem(redeemingOf(code))
  },

  'codes.redeem takes a code until the instant of its end, and not at it': async (world) => {
    const { credential } = await newPerson(world)
    const code = await storeCode(world, credential)
    const late = redeemingOf(code, { event: at(now + minute) })
    await expectRefused(world, 'code_invalid', () => world.ports.codes.redeem(late))
    await world.ports.codes.redeem(redeemingOf(code, { event: at(now + minute - 1) }))
  },

  'codes.redeem refuses a used code, and a replayed proof; what it refused leaves the proof free': async (world) => {
    const { credential } = await newPerson(world)
    const [code, second] = [await storeCode(world, credential), await storeCode(world, credential)]
    const [spend, another] = [newSpend(), newSpend()]
    await world.ports.codes.redeem(redeemingOf(code, { spend }))
    const again = redeemingOf(code, { spend: another })
    await expectRefused(world, 'code_invalid', () => world.ports.codes.redeem(again))
    const replayed = redeemingOf(second, { spend })
    await expectRefused(world, 'dpop_replayed', () => world.ports.codes.redeem(replayed))
    await world.ports.codes.redeem(redeemingOf(second, { spend: another }))
  },

  'codes.redeem refuses when the passkey that approved was removed meanwhile': async (world) => {
    const { credential } = await newPerson(world)
    const code = await storeCode(world, credential)
    await world.store.db.update(credentials).set({ removedAt: now })
    await expectRefused(world, 'credential_changed', () => world.ports.codes.redeem(redeemingOf(code)))
  },

  'codes.redeem opens nothing for a user who was locked meanwhile': async (world) => {
    const person = await newPerson(world)
    const code = await storeCode(world, person.credential)
    await lockOut(world, person)
    await expectRefused(world, 'user_locked', () => world.ports.codes.redeem(redeemingOf(code)))
  },

  'codes.examine says why a code was refused, and writes nothing': async (world) => {
    const { credential } = await newPerson(world)
    const code = await storeCode(world, credential)
    const { examine } = world.ports.codes
    const done = await changes(world.store, async () => {
      for (const [why, claim] of Object.entries(strange(claimOfCode(code))))
        expect(await examine(claim, at(now))).toBe(why)
      expect(await examine(claimOfCode(code), at(now + minute))).toBe('expired')
    })
    expect(done).toEqual({})
  },

  'codes.examine ends the login of a code that its owner’s verifier shows again, once, with one audit row': async (
    world,
  ) => {
    const person = await newPerson(world)
    const code = await storeCode(world, person.credential)
    await world.ports.codes.redeem(redeemingOf(code))
    const { examine } = world.ports.codes
    const done = await changes(world.store, async () =>
      expect(await examine(claimOfCode(code), at(now + 1))).toBe('used'),
    )
    expect(done).toEqual({
      [`~clientSessions ${code.clientSessionId}`]: { endedAt: now + 1, endReason: 'code_reused', endedBy: 'request' },
      '+audit client.end done': expect.objectContaining({
        userId: person.user.id,
        sessionId: code.clientSessionId,
        detail: { reason: 'code_reused' },
      }),
    })
    const later = { ...at(now + 2), asking: { requestId: 'later', from } }
    expect(await changes(world.store, () => examine(claimOfCode(code), later))).toEqual({})
  },

  'codes.examine ends the login for another key too, and for no one who does not know the verifier': async (world) => {
    const { credential } = await newPerson(world)
    const [code, second] = [await storeCode(world, credential), await storeCode(world, credential)]
    for (const one of [code, second]) await world.ports.codes.redeem(redeemingOf(one))
    const guessed = { ...claimOfCode(code), codeChallenge: 'another' }
    const thief = { ...claimOfCode(code), jkt: 'another' as Holder }
    const { examine } = world.ports.codes
    expect(await changes(world.store, () => examine(guessed, at(now)))).toEqual({})
    const done = await changes(world.store, () => examine(thief, at(now)))
    expect(Object.keys(done)).toEqual([`~clientSessions ${code.clientSessionId}`, '+audit client.end done'])
  },

  'codes.issue and redeem keep nonce, redirect and scope as they were given': async (world) => {
    const person = await newPerson(world)
    const code = newCode({ nonce: 'n’ "漢字" \u2028', redirectUri: 'http://[::1]:1/callback', scope: 'api' })
    await world.ports.codes.issue(issuingOf(person, { code }))
    expect(await world.ports.codes.redeem(redeemingOf(code))).toMatchObject({
      nonce: code.nonce,
      session: { scope: 'api' },
    })
    expect(await world.store.db.$count(clientSessions)).toBe(1)
  },
}
