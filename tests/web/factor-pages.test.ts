/** Which ways in the pages offer, as text: what is taken and what somebody has decide it. */
import { describe, expect, test } from 'vitest'
import type { FactorsShown } from '../../core/login/factors.ts'
import { hours } from '../../core/model.ts'
import { accountPage } from '../../worker/pages/account.ts'
import type { Assets } from '../../worker/pages/layout.ts'
import { signInPage } from '../../worker/pages/sign-in.ts'
import { allFactors } from './factors-shown.ts'

const assets: Assets = { url: (name) => `/assets/${name}` }

describe('signInPage', () => {
  const render = async (passwordless: boolean, passwords: boolean) =>
    String(
      await signInPage(assets, {
        cluster: 'test',
        next: undefined,
        formerRpIds: ['old.example'],
        passwordless,
        passwords,
        sessionTtl: hours(12),
      }),
    )

  test('passkeys only: buttons and no form', async () => {
    const markup = await render(true, false)
    expect(markup).toContain('id="sign-in"')
    expect(markup).toContain('data-rp-id="old.example"')
    expect(markup).not.toMatch(/<form|<input|second factor/)
  })

  test('both: the passkey comes first, and the browser may fill one into the name’s box', async () => {
    const markup = await render(true, true)
    expect(markup.indexOf('id="sign-in"')).toBeLessThan(markup.indexOf('id="password-form"'))
    expect(markup).toContain('autocomplete="username webauthn"')
    expect(markup).toContain('autocomplete="current-password"')
  })

  test('a passkey alone is not taken: no button that would use one, and the form is what is advised', async () => {
    const markup = await render(false, true)
    expect(markup).not.toMatch(/id="sign-in"|data-rp-id|username webauthn/)
    expect(markup).toMatch(/class="primary" type="submit" id="password-button"/)
  })

  test('the second factor is hidden until the script knows what to ask for, and a code can be typed and filled in', async () => {
    const markup = await render(true, true)
    expect(markup).toContain('<div id="second" class="step" hidden>')
    for (const kind of ['webauthn', 'otp', 'recovery', 'nothing'])
      expect(markup).toMatch(new RegExp(`id="by-${kind}"[^>]* hidden>`))
    expect(markup).toMatch(/<input id="code"[^>]* inputmode="numeric" autocomplete="one-time-code"/)
  })
})

describe('accountPage', () => {
  const render = async (changes: Partial<FactorsShown>) => {
    const lists = { passkeys: [], sessions: [], clientSessions: [], connections: [] }
    const about = { cluster: 'test', user: { name: 'Ada' }, ...lists, reset: undefined, seesUsers: false, now: 0 }
    return String(await accountPage(assets, { ...about, factors: { ...allFactors, ...changes } }))
  }
  const nothing = { passwordChangedAt: undefined, totps: [], recoveryCodes: 0 }
  const offers = /id="password-form"|id="app-form"|id="codes-make"/g
  const removals = /id="password-remove"|data-app/g

  test('offers everything where everything is taken, under the user’s name for password managers', async () => {
    const markup = await render({})
    expect(markup.match(offers)).toHaveLength(3)
    expect(markup.match(removals)).toHaveLength(2)
    expect(markup).toContain('autocomplete="username" value="Ada" readonly hidden>')
    expect(markup).toContain('autocomplete="new-password"')
    expect(markup).toContain('7 of 10 are left.')
  })

  test('offers nothing that is not taken, and what is there can still be removed', async () => {
    const markup = await render({ passwords: false, factors: ['webauthn'] })
    expect(markup).not.toMatch(offers)
    expect(markup.match(removals)).toHaveLength(2)
    expect(markup).toContain('Passwords are not used here any more')
    expect(markup).toContain('Codes are not used here any more')
    const without = await render({ passwords: false, factors: ['webauthn'], ...nothing })
    expect(without).not.toMatch(/id="password"|id="apps"|id="recovery"/)
  })

  test('codes are asked for after a password: without passwords none is offered', async () => {
    expect(await render({ passwords: false, ...nothing })).not.toMatch(offers)
  })

  test('where taps are all that is taken beside a password, no code is offered', async () => {
    expect((await render({ factors: ['webauthn'], ...nothing })).match(offers)).toEqual(['id="password-form"'])
  })

  test('offers to remove nothing that is the way in, and says why', async () => {
    const markup = await render({ needed: { password: true, totp: true } })
    expect(markup).not.toMatch(removals)
    expect(markup.match(/cannot be removed: without it you could not sign in/g)).toHaveLength(2)
  })

  test('who has no passkey confirms by what he types, a code only if he has an app; where passwords are not taken, he cannot', async () => {
    expect(await render({})).not.toMatch(/id="current-/)
    expect((await render({ passkeys: 0 })).match(/id="current-\w+"/g)).toEqual([
      'id="current-password"',
      'id="current-code"',
    ])
    expect((await render({ passkeys: 0, totps: [] })).match(/id="current-\w+"/g)).toEqual(['id="current-password"'])
    expect(await render({ passkeys: 0, passwords: false })).not.toMatch(removals)
  })

  test('offers no first passkey: that is let in by somebody else', async () => {
    expect(await render({ passkeys: 0 })).not.toContain('id="add"')
    expect(await render({ passkeys: 0 })).toContain('Ask an administrator for a link to register the first one')
  })

  test('warns of one way in, and of none', async () => {
    expect(await render({})).not.toContain('class="notice" aria-label="Advice"')
    expect(await render({ ways: 'one' })).toContain('Add a second passkey.')
    expect(await render({ ways: 'one', passkeys: 0 })).toContain('Make recovery codes.')
    expect(await render({ ways: 'none' })).toContain('You could not sign in again.')
  })
})
