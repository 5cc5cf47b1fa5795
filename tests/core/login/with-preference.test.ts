import { describe, expect, test } from 'vitest'
import { defaultPreference, type Preference } from '../../../core/access/preference.ts'
import { orTellsNothing, withPreference } from '../../../core/login/with-preference.ts'
import { Refusal, type RefusalCode } from '../../../core/refusal.ts'

const revised = (revision: string | undefined): Preference => ({ ...defaultPreference, revision })

/** What the port was asked for, and what the work was given. */
function world(known: string | undefined, newest: string | undefined) {
  const calls: string[] = []
  const ports = {
    preferences: {
      current: async () => {
        calls.push('current')
        return revised(known)
      },
      newest: async () => {
        calls.push('newest')
        return revised(newest)
      },
    },
  }
  /** Refuses with these codes one after the other, and then is done. */
  const runAs =
    (isDecidedByIt?: typeof orTellsNothing) =>
    (...codes: readonly RefusalCode[]) => {
      const left = [...codes]
      const work = async ({ revision }: Preference) => {
        calls.push(`work ${revision}`)
        const code = left.shift()
        if (code) throw new Refusal(code)
        return revision
      }
      return withPreference(ports, work, isDecidedByIt)
    }
  return { calls, run: runAs(), runOfPassword: runAs(orTellsNothing) }
}

describe('withPreference', () => {
  test('asks for what is known, and for nothing else where the work is done', async () => {
    const { calls, run } = world('a', 'b')
    expect(await run()).toBe('a')
    expect(calls).toEqual(['current', 'work a'])
  })

  test.each(['preference_changed', 'passwordless_off', 'passkeys_elsewhere', 'last_factor'] as const)(
    'tries once more with the newest after %s',
    async (code) => {
      const { calls, run } = world('a', 'b')
      expect(await run(code)).toBe('b')
      expect(calls).toEqual(['current', 'work a', 'newest', 'work b'])
    },
  )

  test('does not try a third time', async () => {
    const { calls, run } = world('a', 'b')
    await expect(run('preference_changed', 'preference_changed')).rejects.toThrow('preference_changed')
    expect(calls).toEqual(['current', 'work a', 'newest', 'work b'])
  })

  test('does not try again where the newest is the one that decided', async () => {
    const { calls, run } = world(undefined, undefined)
    await expect(run('passwordless_off')).rejects.toThrow('passwordless_off')
    expect(calls).toEqual(['current', 'work undefined', 'newest'])
  })

  test('tries again where the batch found a change that was taken back since', async () => {
    expect(await world('a', 'a').run('preference_changed')).toBe('a')
  })

  test.each(['assertion_wrong', 'credential_unknown', 'ticket_spent'] as const)(
    'reads nothing after %s, which would tell what is known here',
    async (code) => {
      const { calls, run } = world('a', 'b')
      await expect(run(code)).rejects.toThrow(code)
      expect(calls).toEqual(['current', 'work a'])
    },
  )

  test.each(['factor_missing', 'factor_unwanted', 'password_wrong', 'name_unknown', 'code_wrong'] as const)(
    'of a password tries once more after %s: whatever was wrong takes as long',
    async (code) => {
      const { calls, runOfPassword } = world('a', 'b')
      expect(await runOfPassword(code)).toBe('b')
      expect(calls).toEqual(['current', 'work a', 'newest', 'work b'])
    },
  )

  test('of a password reads nothing after what everybody is told', async () => {
    const { calls, runOfPassword } = world('a', 'b')
    await expect(runOfPassword('password_locked')).rejects.toThrow('password_locked')
    expect(calls).toEqual(['current', 'work a'])
  })

  test('passes on what is no refusal', async () => {
    const { calls } = world('a', 'b')
    const ports = { preferences: { current: async () => revised('a'), newest: async () => revised('b') } }
    await expect(withPreference(ports, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom')
    expect(calls).toEqual([])
  })
})
