/** The pages as text: what is escaped, what is not there, and that a strict content security policy can hold. */

import { describe, expect, test } from 'vitest'
import type { SessionInSet } from '../../core/intent.ts'
import type { Attestation } from '../../core/login/attestation.ts'
import { type CredentialKind, type Holder, hours, minutes, seconds, type TotpId } from '../../core/model.ts'
import type { ApprovalWay } from '../../core/oauth/approval.ts'
import { accountPage } from '../../worker/pages/account.ts'
import { approvePage, notApprovablePage } from '../../worker/pages/approve.ts'
import { authorizePage } from '../../worker/pages/authorize.ts'
import { deviceAnsweredPage, deviceAskPage, deviceCodePage, deviceOffPage } from '../../worker/pages/device.ts'
import { firstAdministratorPage } from '../../worker/pages/first-administrator.ts'
import { invitePage } from '../../worker/pages/invite.ts'
import type { AssetName, Assets } from '../../worker/pages/layout.ts'
import { problemPage } from '../../worker/pages/problem.ts'
import { recoverPage } from '../../worker/pages/recover.ts'
import { signInPage } from '../../worker/pages/sign-in.ts'
import { usersPage, usersRefusedPage } from '../../worker/pages/users.ts'
import { allFactors, totp } from './factors-shown.ts'

const assets: Assets = { url: (name: AssetName) => `/assets/${name}` }
const now = Date.UTC(2027, 0, 2, 3, 4)
const hostile = `"><script>alert(1)</script>' onclick='x`
const shown = '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39; onclick=&#39;x'

const passkey = {
  kind: 'passkey' as CredentialKind,
  attestation: undefined as Attestation | undefined,
  works: true,
  isRemovable: false,
  id: 'AAAA',
  name: 'Blue key',
  provider: undefined,
  synced: false,
  isRoot: false,
  mayVouch: true,
  fingerprint: 'BBBB',
  createdAt: Date.UTC(2026, 11, 31, 23, 59),
  lastUsedAt: undefined,
}
const session = {
  via: 'passkey' as const,
  id: 'CCCC',
  browser: 'Firefox on Linux',
  address: '192.0.2.1',
  place: '',
  openedAt: now,
  lastSeenAt: now,
  expiresAt: now,
  isThisOne: true,
}
const program = {
  id: 'FFFF',
  client: 'Sallyport CLI',
  address: '192.0.2.1',
  place: '',
  via: 'browser' as const,
  tapped: true,
  authenticatedAt: now,
  expiresAt: now + 1,
  endedAt: undefined,
  because: undefined,
}
const account = {
  cluster: 'test',
  user: { name: 'Ada' },
  passkeys: [passkey],
  factors: allFactors,
  sessions: [session],
  clientSessions: [] as Parameters<typeof accountPage>[1]['clientSessions'],
  connections: [] as Parameters<typeof accountPage>[1]['connections'],
  reset: undefined as Parameters<typeof accountPage>[1]['reset'],
  seesUsers: true,
  now,
}

const intent = { v: 1, cluster: hostile, id: hostile, iat: 0, exp: 1 } as const
const authorize = {
  cluster: 'test',
  user: { name: 'Ada' },
  client: 'Sallyport CLI',
  redirectUri: 'http://127.0.0.1:49152/callback',
  scope: 'openid api',
  address: '192.0.2.1',
  way: 'tap' as ApprovalWay,
  request: { state: 'AAAA' },
}
const approve = {
  cluster: 'test',
  user: { name: 'Ada' },
  intent: {
    ...intent,
    purpose: 'admin' as const,
    subject: {
      method: 'POST',
      path: '/v1/users',
      body_hash: 'GGGG',
      revision: 'new',
      summary: 'Invite Grace with the role access',
      address: '192.0.2.1',
    },
  },
  ticket: 'HHHH.IIII',
  redirectUri: 'http://127.0.0.1:49152/callback',
  state: 'AAAA',
  issuer: 'https://access.example.com',
  way: 'tap' as const,
  now: 0,
}

const device = {
  cluster: 'test',
  user: { name: 'Ada' },
  client: 'Sallyport CLI',
  now,
  way: 'tap' as ApprovalWay,
  ask: {
    hash: 'KKKK',
    userCode: 'BCDF-GHJK',
    clientId: 'sallyport-cli',
    jkt: 'LLLL' as Holder,
    scope: 'openid api',
    askedAt: now,
    from: { address: '192.0.2.1', place: 'Bern, CH', browser: '' },
    state: 'waiting' as const,
  },
}

const shownUser = {
  name: 'Grace',
  isReader: false,
  roles: ['access'],
  state: 'active' as const,
  lockedBy: undefined as string | undefined,
  passkeys: 1,
  link: undefined,
  createdAt: now,
}

const pages: Record<string, () => unknown> = {
  'sign in': () =>
    signInPage(assets, {
      cluster: hostile,
      next: hostile,
      formerRpIds: [hostile],
      sessionTtl: hours(12),
      passwordless: true,
      passwords: true,
    }),
  'first administrator, open': () => firstAdministratorPage(assets, { cluster: hostile, open: true }),
  'first administrator, used': () => firstAdministratorPage(assets, { cluster: hostile, open: false }),
  account: () =>
    accountPage(assets, {
      ...account,
      user: { name: hostile },
      reset: { by: hostile, at: now },
      passkeys: [
        { ...passkey, id: hostile, name: hostile, provider: hostile, fingerprint: hostile },
        { ...passkey, isRoot: true },
      ],
      factors: { ...allFactors, totps: [{ ...totp, id: hostile as TotpId, name: hostile }] },
      sessions: [{ ...session, id: hostile, browser: hostile, address: hostile, place: hostile, isThisOne: false }],
      clientSessions: [
        { ...program, id: hostile, client: hostile, address: hostile, place: hostile },
        { ...program, endedAt: now, because: hostile },
      ],
      connections: [
        {
          ...{ id: hostile, resource: { kind: hostile, name: hostile }, principal: hostile, impersonated: hostile },
          ...{ proxy: hostile, address: hostile, openedAt: now },
        },
      ],
    }),
  authorize: () =>
    authorizePage(assets, {
      ...authorize,
      cluster: hostile,
      user: { name: hostile },
      client: hostile,
      scope: hostile,
      address: hostile,
      request: { state: hostile },
    }),
  approve: () =>
    approvePage(assets, {
      cluster: hostile,
      user: { name: hostile },
      intent: {
        ...intent,
        purpose: 'admin',
        subject: {
          method: hostile,
          path: hostile,
          body_hash: hostile,
          revision: hostile,
          summary: hostile,
          address: hostile,
        },
      },
      ticket: hostile,
      redirectUri: hostile,
      state: hostile,
      issuer: hostile,
      way: 'tap',
      now: 0,
    }),
  'approve a session': () =>
    approvePage(assets, {
      cluster: hostile,
      user: { name: hostile },
      intent: {
        ...intent,
        purpose: 'session',
        subject: {
          resource: { kind: 'db', name: hostile },
          principal: { db_user: hostile, db_name: hostile },
          client_key: hostile,
          proxy: { id: hostile, boot: hostile },
          address: hostile,
        },
      },
      ticket: hostile,
      redirectUri: hostile,
      state: hostile,
      issuer: hostile,
      way: 'tap',
      now: 0,
    }),
  'approve a set by a code': () =>
    approvePage(assets, {
      ...{ cluster: hostile, user: { name: hostile }, ticket: hostile, redirectUri: hostile, state: hostile },
      ...{ issuer: hostile, way: 'code', now: 0 },
      intent: {
        ...intent,
        purpose: 'session',
        subject: {
          sessions: [
            { resource: { kind: 'node', name: hostile }, principal: { login: hostile }, count: 1 },
            { resource: { kind: 'db', name: hostile }, principal: { db_user: hostile, db_name: hostile }, count: 2 },
          ],
          client_key: hostile,
          proxy: { id: hostile, boot: hostile },
          address: hostile,
        },
      },
    }),
  'authorize by code': () =>
    authorizePage(assets, { ...authorize, way: 'code', user: { name: hostile }, request: { state: hostile } }),
  'enter the code': () => deviceCodePage(assets, { cluster: hostile, typed: undefined }),
  'enter the code again': () => deviceCodePage(assets, { cluster: hostile, typed: hostile }),
  'approve a headless login': () =>
    deviceAskPage(assets, {
      ...device,
      cluster: hostile,
      user: { name: hostile },
      client: hostile,
      ask: {
        ...device.ask,
        ...{ userCode: hostile, hash: hostile, clientId: hostile, jkt: hostile as Holder, scope: hostile },
        from: { address: hostile, place: hostile, browser: hostile },
      },
    }),
  'headless login answered': () => deviceAnsweredPage(assets, { cluster: hostile, state: 'approved' }),
  'headless logins are off': () => deviceOffPage(assets, { cluster: hostile, user: { name: hostile } }),
  'not approvable': () => notApprovablePage(assets, { cluster: hostile, why: 'another-user' }),
  users: () =>
    usersPage(assets, {
      cluster: hostile,
      user: { name: hostile },
      users: [{ ...shownUser, name: hostile, roles: [hostile], lockedBy: hostile }],
      roles: [{ name: hostile, description: hostile, administers: true }],
      mayReset: true,
      now,
    }),
  'users, refused': () => usersRefusedPage(assets, { cluster: hostile, user: { name: hostile } }),
  invite: () => invitePage(assets, { cluster: hostile }),
  recover: () => recoverPage(assets, { cluster: hostile }),
  problem: () =>
    problemPage(assets, {
      cluster: hostile,
      status: 404,
      title: hostile,
      message: hostile,
      remedy: hostile,
      requestId: hostile,
    }),
}

describe.each(Object.entries(pages))('the page "%s"', (_, render) => {
  const text = async () => String(await render())

  test('escapes whatever it is given', async () => {
    expect(await text()).toContain(shown)
    expect(await text()).not.toContain(hostile)
    expect(await text()).not.toContain('<script>')
  })

  test('has nothing inline: no script, style, handler or address of another place', async () => {
    const markup = (await text()).replaceAll(shown, '')
    expect(markup).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|https?:/)
    for (const script of markup.match(/<script[^>]*>[^<]*/g) ?? []) expect(script).toMatch(/ src="\/assets\/[^"]+">$/)
  })

  test('has one first heading, a title, a language, and a label for each text box', async () => {
    const markup = (await text()).replaceAll(/<template id="(dead|invite|reset)">.*?<\/template>/gs, '')
    expect(markup.match(/<h1/g)).toHaveLength(1)
    expect(markup).toMatch(/<html lang="en">[\s\S]*<title>[^<]+<\/title>/)
    for (const [, id] of markup.matchAll(/<input id="([^"]+)"/g)) expect(markup).toContain(`<label for="${id}">`)
  })
})

describe('firstAdministratorPage', () => {
  test('has no form, button or script once there is an administrator', async () => {
    const markup = String(await firstAdministratorPage(assets, { cluster: 'test', open: false }))
    expect(markup).not.toMatch(/<(button|form|input|script|template)/)
    expect(markup).not.toMatch(/register a passkey/i)
    expect(markup).toContain('This link was used or is no longer valid')
  })

  test('keeps the form in a template until the link is known to work', async () => {
    const markup = String(await firstAdministratorPage(assets, { cluster: 'test', open: true }))
    expect(markup.replaceAll(/<template .*?<\/template>/gs, '')).not.toMatch(/<(button|form|input)/)
  })
})

describe('accountPage', () => {
  const render = async (changes: Partial<typeof account>) =>
    String(await accountPage(assets, { ...account, ...changes }))

  test('offers to remove what may be removed', async () => {
    const other = { ...passkey, id: 'DDDD', name: 'Phone', isRemovable: true }
    expect(await render({})).not.toContain('data-remove')
    expect((await render({ passkeys: [passkey, other] })).match(/data-remove/g)).toHaveLength(1)
  })

  test('tells of a reset where there was one', async () => {
    expect(await render({})).not.toContain('You were reset')
    expect(await render({ reset: { by: 'Grace', at: now } })).toContain('You were reset by Grace</strong>')
  })

  test('offers to end each session but this one', async () => {
    const other = { ...session, id: 'EEEE', isThisOne: false }
    expect(await render({})).not.toContain('data-end')
    expect(await render({ sessions: [session, other] })).toContain('data-end="EEEE"')
  })

  test('offers to end each program that still runs, and says why another has ended', async () => {
    const because = 'A refresh token was used twice.'
    const ended = { ...program, id: 'JJJJ', endedAt: now, because }
    const markup = await render({ clientSessions: [program, ended] })
    expect([...markup.matchAll(/data-end-program="(\w+)"/g)].map(([, id]) => id)).toEqual(['FFFF'])
    expect(markup).toContain(`<p class="notice">${because}</p>`)
    expect(await render({})).toContain('None is signed in.')
  })

  test('gives instants to programs exactly and to people in UTC, with the year when it is another', async () => {
    const markup = await render({})
    expect(markup).toContain('<time datetime="2026-12-31T23:59:00.000Z">31 Dec 2026, 23:59 UTC</time>')
    expect(markup).toContain('<time datetime="2027-01-02T03:04:00.000Z">2 Jan, 03:04 UTC</time>')
  })
})

describe('deviceAskPage', () => {
  const render = async (changes: Partial<typeof device> = {}) =>
    String(await deviceAskPage(assets, { ...device, ...changes }))

  test('shows the code largest, then the warning, the program, from where and when', async () => {
    const markup = await render()
    expect(markup).toMatch(/<span class="thing"><span class="code">BCDF-GHJK<\/span><\/span>/)
    const order = ['BCDF-GHJK', 'Has somebody sent you here', 'Sallyport CLI', '192.0.2.1', 'Bern, CH', '<time ']
    const places = order.map((words) => markup.indexOf(words))
    expect(places.every((at) => at >= 0)).toBe(true)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })

  test('says that it does not administer, or that it only learns who one is', async () => {
    expect(await render()).toContain('It cannot administer, invite people or change passkeys.')
    expect(await render({ ask: { ...device.ask, scope: 'openid' } })).toContain('Learn who you are, and nothing else')
  })

  test('asks for the comparison before the buttons, unticked', async () => {
    const markup = await render()
    expect(markup).toMatch(/<input id="compared" type="checkbox" autocomplete="off">\s*<label for="compared">/)
    expect(markup.indexOf('id="compared"')).toBeLessThan(markup.indexOf('id="approve"'))
  })
})

describe('what a page that approves asks for', () => {
  const renders: Record<string, (way: ApprovalWay) => Promise<string>> = {
    authorizePage: async (way) => String(await authorizePage(assets, { ...authorize, way })),
    deviceAskPage: async (way) => String(await deviceAskPage(assets, { ...device, way })),
  }

  test.each(Object.entries(renders))(
    '%s: a passkey, or password and code, or how to get a passkey',
    async (_, render) => {
      const [tap, code, none] = [await render('tap'), await render('code'), await render('none')]
      expect(tap).toMatch(/id="approve"[^>]*>Approve with a passkey</)
      expect(tap).not.toMatch(/<form|type="password"/)
      expect(code).toMatch(/<form id="proof" method="post"[\s\S]*value="Ada" readonly hidden/)
      expect(code).toMatch(/id="current-password" type="password"[^>]*autocomplete="current-password"/)
      expect(code).toMatch(/id="current-code"[^>]*autocomplete="one-time-code"/)
      expect(code).not.toContain('Approve with a passkey')
      expect(none).not.toMatch(/id="approve"|<form/)
      expect(none).toContain('You cannot approve this: it wants a passkey, and you have none.')
      for (const markup of [tap, code, none]) expect(markup.match(/id="refuse"/g)).toHaveLength(1)
    },
  )
})

describe('deviceCodePage', () => {
  test('is a form without a script, and tells a wrong code where it is', async () => {
    const first = String(await deviceCodePage(assets, { cluster: 'test', typed: undefined }))
    expect(first).toContain('<form id="register" method="get" action="/device">')
    expect(first).not.toMatch(/<script|aria-invalid|role="alert"/)
    const again = String(await deviceCodePage(assets, { cluster: 'test', typed: 'bcdf' }))
    expect(again).toMatch(/value="bcdf"[\s\S]*aria-invalid="true"[\s\S]*No login waits with this code/)
  })
})

describe('authorizePage', () => {
  const render = async (changes: Partial<typeof authorize>) =>
    String(await authorizePage(assets, { ...authorize, ...changes }))

  test('says in words what the scopes allow, and for how long', async () => {
    expect(await render({})).toContain('Do whatever your roles let you do, for 12 hours at most.')
    const less = await render({ scope: 'openid' })
    expect(less).toContain('Learn who you are, and nothing else, for 12 hours at most.')
    expect(less).not.toContain('your roles')
  })

  test('names program, user, address and port', async () => {
    const markup = await render({})
    expect(largeWords(markup)).toBe('Sallyport CLI')
    expect(markup).toContain('Ada, let this program act for you on test?')
    expect(markup).toContain(
      'this browser, at <span class="address">192.0.2.1</span>. The answer goes to a program on this computer, at port 49152.',
    )
  })

  test('hands its script the parameters as they came', async () => {
    const request = { state: `'"<&`, scope: 'api openid' }
    const [, escaped = ''] = /data-request="([^"]*)"/.exec(await render({ request })) ?? []
    expect(JSON.parse(unescaped(escaped))).toEqual(request)
  })

  test('refuses by the button that comes first, and only the other one is filled', async () => {
    for (const [markup, others] of [
      [await render({}), []],
      [String(await approvePage(assets, approve)), ['This was not me']],
    ] as const) {
      const buttons = [...markup.matchAll(/<button([^>]*)>([^<]*)/g)]
      expect(buttons.map(([, , words]) => words)).toEqual(['Refuse', 'Approve with a passkey', ...others])
      expect(buttons.map(([, attributes = '']) => attributes.includes('class="primary"'))).toEqual([
        ...[false, true],
        ...others.map(() => false),
      ])
    }
  })
})

describe('usersPage', () => {
  const render = async (changes: Partial<Parameters<typeof usersPage>[1]> = {}) =>
    String(
      await usersPage(assets, {
        ...{ cluster: 'test', user: { name: 'Ada' }, users: [shownUser], roles: [], mayReset: true, now, ...changes },
      }),
    )

  test('offers what the reader may do, and to nobody a reset of himself', async () => {
    expect(await render()).toMatch(
      /<form id="invite"[\s\S]*data-reset="Grace" data-act="Reset"[\s\S]*<dialog id="reset"/,
    )
    expect(await render({ mayReset: false })).not.toMatch(/data-reset|<dialog/)
    expect(await render({ roles: undefined })).not.toContain('id="invite"')
    expect(await render({ roles: undefined, mayReset: false })).not.toMatch(/<form|<button|id="link"/)
    expect(await render({ users: [{ ...shownUser, isReader: true }] })).not.toContain('data-reset')
  })

  test('calls the link of somebody who has no passkey what it is', async () => {
    const users = [{ ...shownUser, passkeys: 0, state: 'invited' as const, link: { expiresAt: now } }]
    expect(await render({ users })).toMatch(/Invited<[\s\S]*No passkey[\s\S]*works until[\s\S]*data-act="New link"/)
  })

  test('says which roles administer, and how long links work where nothing is chosen: as long as those of the command', async () => {
    const roles = [
      { name: 'access', description: 'Signs in.', administers: false },
      { name: 'editor', description: '', administers: true },
    ]
    const markup = await render({ roles })
    expect(markup.match(/Administers/g)).toHaveLength(1)
    expect([...markup.matchAll(/<option value="(\d+)" selected>/g)].map(([, ttl]) => ttl)).toEqual(['3600', '28800'])
  })
})

describe('approvePage', () => {
  test('shows what is asked in the largest words, and its method, path and address', async () => {
    const markup = String(await approvePage(assets, approve))
    expect(largeWords(markup)).toBe('Invite Grace with the role access')
    expect(markup).toContain('Ada, approve on test?')
    expect(markup).toContain('<code>POST /v1/users</code>')
    expect(markup).toContain('<span class="address">192.0.2.1</span>')
  })
})

describe('approvePage of a set', () => {
  const app = (name: string, count: number) => ({ resource: { kind: 'app', name } as const, principal: {}, count })
  const render = async (...sessions: SessionInSet[]) => {
    const subject = { sessions, client_key: 'K', proxy: { id: 'P', boot: 'B' }, address: '192.0.2.1' }
    return String(await approvePage(assets, { ...approve, intent: { ...intent, purpose: 'session', subject } }))
  }
  const plain = (markup: string) => markup.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ')

  test('up to four stand in the largest words, and each with its count', async () => {
    const k8s = { kind: 'kube_cluster', name: 'k8s' } as const
    const principal = { kubernetes_user: 'ada', kubernetes_groups: ['ops', 'dev'] }
    const markup = await render(app('wiki', 3), { resource: k8s, principal, count: 1 })
    expect(largeWords(markup)).toBe('wiki, k8s as ada')
    expect(plain(markup)).toContain('wikithe app, 3 times')
    expect(plain(markup)).toContain('k8sthe Kubernetes cluster, Kubernetes user ada, Kubernetes groups ops, dev, once')
    expect(plain(markup)).toContain('And nothing else4 sessions in all')
  })

  test('of more the largest words say how many, and all are listed', async () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const markup = await render(...names.map((name) => app(name, 2)))
    expect(largeWords(markup)).toBe('10 sessions on 5 resources')
    for (const name of names) expect(markup).toContain(`<dt>${name}</dt>`)
  })

  test('one session once is asked for as one', async () => {
    const markup = await render(app('wiki', 1))
    expect(markup).toContain('open a session on')
    expect(plain(markup)).toContain('And nothing else1 session in all')
  })
})

describe('notApprovablePage', () => {
  test.each([
    ['another-user', 'This is for somebody else'],
    ['expired', 'This has expired'],
  ] as const)('%s: says so, and has no form, button or script', async (why, words) => {
    const markup = String(await notApprovablePage(assets, { cluster: 'test', why }))
    expect(largeWords(markup)).toBe(words)
    expect(markup).not.toMatch(/<(button|form|input|script|template)|data-/)
  })
})

describe.each(Object.entries({ invitePage, recoverPage }))('%s', (_, render) => {
  test('keeps form and refusal in templates until the link is known to work', async () => {
    const markup = String(await render(assets, { cluster: 'test' }))
    const open = markup.replaceAll(/<template .*?<\/template>/gs, '')
    expect(open).not.toMatch(/<(button|form|input)/)
    expect(open).not.toContain('no longer valid')
  })
})

const largeWords = (markup: string): string | undefined => /<span class="thing">([^<]*)<\/span><\/h1>/.exec(markup)?.[1]

const unescaped = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

describe('signInPage', () => {
  const taken = { formerRpIds: [], passwordless: true, passwords: false }
  const render = async (next: string, sessionTtl = hours(12)) =>
    String(await signInPage(assets, { cluster: 'test', next, ...taken, sessionTtl }))

  test.each([
    [hours(12), '12 hours'],
    [hours(1), '1 hour'],
    [minutes(90), '1 hour 30 minutes'],
    [minutes(1) + seconds(30), '1 minute 30 seconds'],
  ])('says how long a session lasts at most: %i ms as %s', async (ttl, words) => {
    expect((await render('/account', ttl)).replaceAll('\n', ' ')).toContain(`on this browser for ${words} at most`)
  })

  test('says in words that a request to approve comes next, and that signing in does not approve it', async () => {
    for (const next of ['/oauth/authorize?client_id=x', '/approve?ticket=x']) {
      expect(await render(next)).toMatch(/go on to (the|a) request [^.]*\. Nothing is approved by signing in\./)
      expect(await render(next)).not.toContain('<code>')
    }
  })

  test('says where one goes on to, unless it is the account page, and shortens what is long', async () => {
    expect(await render('/approve/7')).toContain('<code>/approve/7</code>')
    expect(await render('/account')).not.toContain('<code>')
    expect(await render(`/${'a'.repeat(100)}`)).toContain(`<code>/${'a'.repeat(78)}…</code>`)
  })
})
