/** The same ceremonies and refusals on all four runtimes, over HTTP, against the very bundle that is deployed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Authenticator, flag, newAuthenticator } from '../authenticator.ts'
import {
  addBody,
  addPasskey,
  login,
  loginBody,
  registerFirst,
  removePasskey,
  sessionCookieName,
  Visitor,
} from '../client.ts'
import { acceptInvite, addUser, askTap, resetUser, tapFor } from '../invited.ts'
import { approve, askOf, newProofKey, Program, parametersAt, type Tokens } from '../program.ts'
import { launchServe, launchWorkerd, missing, type Running, remove } from './launch.ts'
import { raw } from './raw.ts'

const runtimes = ['node', 'deno', 'bun', 'workerd'] as const

describe.each(runtimes)('%s', (runtime) => {
  const lacking = missing(runtime)
  let edge: Running
  let first: Authenticator
  const signedIn = async (authenticator: Authenticator) => {
    const visitor = new Visitor(edge.origin)
    expect(await login(visitor, authenticator)).toMatchObject({ status: 200, json: { location: '/account' } })
    return visitor
  }
  const make = (alg: -7 | -8 | -257 = -7) => newAuthenticator({ origin: edge.origin, rpId: 'localhost', alg })

  beforeAll(async () => {
    if (lacking !== undefined) return
    edge = runtime === 'workerd' ? await launchWorkerd() : await launchServe(runtime)
    first = await make()
  }, 120_000)
  afterAll(async () => {
    await edge?.stop()
    if (edge) remove(edge.home)
  })

  const story = (name: string, work: () => Promise<void>) =>
    test(name, { timeout: 60_000 }, async (context) => {
      if (lacking !== undefined) context.skip(lacking)
      await work()
    })

  story('health and readiness answer, with the security headers', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const reply = await new Visitor(edge.origin).get(path)
      expect(reply).toMatchObject({ status: 200, json: { status: 'ok' } })
      expect(reply.headers.get('content-security-policy')).not.toMatch(/unsafe/)
    }
  })

  story('the first administrator registers, and the link works once', async () => {
    const visitor = new Visitor(edge.origin)
    expect(await registerFirst(visitor, edge.secret ?? '', first)).toMatchObject({
      status: 200,
      json: { location: '/account' },
    })
    const account = await visitor.get('/account')
    expect(account.status).toBe(200)
    expect(account.text).toContain('Ada')
    const again = await new Visitor(edge.origin).post('/v1/first-administrator/begin', {
      secret: edge.secret ?? '',
      name: 'Eve',
    })
    expect(again).toMatchObject({ status: 410, json: { error: 'link_invalid' } })
  })

  story('a passkey logs in, and each login gets a session of its own', async () => {
    const [one, two] = [await signedIn(first), await signedIn(first)]
    expect(one.cookies.get(sessionCookieName)).not.toBe(two.cookies.get(sessionCookieName))
    expect((await one.get('/account')).status).toBe(200)
    expect(await one.post('/v1/logout', {})).toMatchObject({ status: 200, json: { location: '/' } })
    expect((await one.get('/account')).status).toBe(302)
    expect((await two.get('/account')).status).toBe(200)
  })

  story('passkeys of all three algorithms are added with a tap, and removed with a tap of another', async () => {
    const visitor = await signedIn(first)
    const added: Authenticator[] = []
    for (const alg of [-7, -8, -257] as const) {
      const passkey = await make(alg)
      expect(await addPasskey(visitor, first, passkey, { name: `Key ${alg}` })).toMatchObject({ status: 200 })
      await signedIn(passkey)
      added.push(passkey)
    }
    for (const { credentialId } of added) {
      expect(await removePasskey(visitor, first, credentialId)).toMatchObject({
        status: 200,
        json: { location: '/account' },
      })
    }
    const gone = await login(new Visitor(edge.origin), added[0] as Authenticator)
    expect(gone).toMatchObject({ status: 401, json: { error: 'refused' } })
    const last = await visitor.post(`/v1/passkeys/${first.credentialId}/remove/begin`, {})
    expect(last).toMatchObject({ status: 409, json: { error: 'last_passkey' } })
  })

  story(
    'passwords and codes are not taken where no preference says so, and the account page’s call tells',
    async () => {
      const begun = await new Visitor(edge.origin).post('/v1/login/password/begin', { name: 'Ada' })
      expect(begun).toMatchObject({ status: 403, json: { error: 'passwords_off' } })
      const visitor = await signedIn(first)
      const shown = await visitor.post('/v1/factors', {})
      expect(shown).toMatchObject({
        status: 200,
        json: { passkeys: 1, totps: [], passwords: false, factors: ['webauthn'] },
      })
      const add = await visitor.post('/v1/totp/begin', { name: 'Phone' })
      expect(add).toMatchObject({ status: 403, json: { error: 'codes_off' } })
    },
  )

  story('32 answers with one ticket at once: one success', async () => {
    const visitor = new Visitor(edge.origin)
    const body = await loginBody(visitor, first)
    const replies = await Promise.all(Array.from({ length: 32 }, () => visitor.copy().post('/v1/login/finish', body)))
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 31 }, () => 401)])
  })

  story('refusals all sound the same', async () => {
    const stranger = await make()
    stranger.userHandle = first.userHandle
    const attempts = [
      () => login(new Visitor(edge.origin), stranger),
      () => login(new Visitor(edge.origin), first, { badSignature: true }),
      () => login(new Visitor(edge.origin), first, { flags: flag.UP }),
      () => login(new Visitor(edge.origin), first, { origin: 'http://evil.localhost' }),
      () => login(new Visitor(edge.origin), first, { crossOrigin: true }),
      () => login(new Visitor(edge.origin), first, { counter: 1 }),
      () => login(new Visitor(edge.origin), first, { rpId: 'example.com' }),
    ]
    for (const attempt of attempts) {
      const { status, json } = await attempt()
      expect({ status, error: json.error }).toEqual({ status: 401, error: 'refused' })
    }
  })

  story(
    'a body over the limit is refused, announced or in chunks, and what a length leaves over is no part of it',
    async () => {
      const [head, port] = [
        ['POST /v1/login/begin HTTP/1.1', `Origin: ${edge.origin}`],
        Number(new URL(edge.origin).port),
      ]
      const ask = (...rest: string[]) =>
        raw(port, [...head, `Host: localhost:${port}`, 'Content-Type: application/json', 'Connection: close', ...rest])
      const size = 300 * 1024
      const chunk = `${size.toString(16)}\r\n${' '.repeat(size)}\r\n0\r\n\r\n`
      expect(await ask(`Content-Length: ${size}`, '', ' '.repeat(size))).toMatch(/^HTTP\/1\.1 413 /)
      expect(await ask('Transfer-Encoding: chunked', '', chunk)).toMatch(/^HTTP\/1\.1 413 /)
      // What follows is a next request, and none: some servers say so before they answer the first.
      expect(await ask('Content-Length: 2', '', `{}${' '.repeat(1000)}`)).toMatch(/^HTTP\/1\.1 (200|400) /)
      expect(await ask('Content-Length: 2', 'Transfer-Encoding: chunked', '', chunk)).not.toMatch(/^HTTP\/1\.1 200 /)
    },
  )

  story('a cookie alone adds no passkey', async () => {
    const visitor = await signedIn(first)
    const thief = visitor.copy()
    const own = await make()
    const body = await addBody(thief, own, await make())
    expect(await thief.post('/v1/passkeys/finish', body)).toMatchObject({ status: 401, json: { error: 'refused' } })
  })

  /** A program that the visitor approved just now. */
  async function signedInProgram(visitor: Visitor, passkey: Authenticator) {
    const program = new Program(await newProofKey(), new Visitor(edge.origin))
    const asked = askOf(program.key)
    const { json } = await approve(visitor, passkey, asked)
    const code = parametersAt(json.location).get('code') ?? ''
    const reply = await program.token(program.codeForm(code, asked))
    expect(reply.status, reply.text).toBe(200)
    return { program, tokens: reply.json as Tokens }
  }

  const kidOf = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid

  story(
    'a program signs in, calls, refreshes, 32 times at once too, and invites somebody who does the same',
    async () => {
      const visitor = await signedIn(first)
      const { program, tokens } = await signedInProgram(visitor, first)
      const me = await program.call('GET', '/v1/me', tokens.access_token)
      expect(me).toMatchObject({ status: 200, json: { user: { name: 'Ada' }, roles: ['access', 'auditor', 'editor'] } })

      const refreshed = await program.refresh(tokens.refresh_token)
      expect(refreshed.status).toBe(200)
      const { refresh_token: newest } = refreshed.json as Tokens
      const replies = await Promise.all(Array.from({ length: 32 }, () => program.refresh(newest)))
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
      expect(new Set(replies.map(({ json }) => json.refresh_token)).size).toBe(1)
      const token: string = replies[0]?.json.access_token

      const added = await addUser({ program, token, visitor, passkey: first }, 'Grace')
      expect(added.reply, added.reply.text).toMatchObject({ status: 200, json: { name: 'Grace' } })
      const invite: string = added.reply.json.invite
      const grace = await make()
      const page = new Visitor(edge.origin)
      expect(await page.post('/v1/invites/check', { invite })).toMatchObject({
        json: { kind: 'invite', name: 'Grace', invited_by: 'Ada' },
      })
      expect(await acceptInvite(page, invite, added.privateKey, grace)).toMatchObject({ status: 200 })
      expect(await page.post('/v1/invites/check', { invite })).toMatchObject({ status: 410 })
      const own = await signedInProgram(await signedIn(grace), grace)
      const graces = await own.program.call('GET', '/v1/me', own.tokens.access_token)
      expect(graces.json).toMatchObject({ user: { name: 'Grace' }, roles: ['access'] })
      const forbidden = await own.program.call('GET', '/v1/users', own.tokens.access_token)
      expect(forbidden).toMatchObject({ status: 403, json: { error: 'forbidden' } })
    },
  )

  story('a program resets somebody: all ends, and the link lets him in again, once', async () => {
    const visitor = await signedIn(first)
    const { program, tokens } = await signedInProgram(visitor, first)
    const ada = { program, token: tokens.access_token, visitor, passkey: first }
    const added = await addUser(ada, 'Alan')
    const [alan, page] = [await make(), new Visitor(edge.origin)]
    expect((await acceptInvite(page, added.reply.json.invite, added.privateKey, alan)).status).toBe(200)
    const { reply, privateKey } = await resetUser(ada, 'Alan')
    expect(reply, reply.text).toMatchObject({ status: 200, json: { name: 'Alan' } })
    const invite: string = reply.json.invite
    expect((await page.get('/account')).status).toBe(302)
    expect((await login(new Visitor(edge.origin), alan)).status).toBe(401)
    expect((await page.post('/v1/invites/check', { invite })).json).toMatchObject({ kind: 'reset', name: 'Alan' })
    const fresh = await make()
    expect(await acceptInvite(page, invite, privateKey, fresh)).toMatchObject({ status: 200 })
    expect((await page.get('/account')).text).toContain('You were reset by Ada')
    expect((await page.post('/v1/invites/check', { invite })).status).toBe(410)
    await signedIn(fresh)
  })

  story('a rotation of the signing key logs nobody out, and its next one was published before', async () => {
    const page = await signedIn(first)
    const { program, tokens } = await signedInProgram(page, first)
    const published = async () => {
      const { json } = await new Visitor(edge.origin).get('/oauth/jwks')
      return (json.keys as { kid: string }[]).map(({ kid }) => kid)
    }
    const before = await published()
    const headers = await tapFor(page, first, await askTap(program, tokens.access_token, 'keysRotate', {}))
    const rotated = await program.call('POST', '/v1/keys/rotate', tokens.access_token, { body: {}, headers })
    expect(rotated.status, rotated.text).toBe(200)
    expect(before).toContain(rotated.json.current)
    expect((await program.call('GET', '/v1/me', tokens.access_token)).status).toBe(200)
    const { json } = await program.refresh(tokens.refresh_token)
    expect(kidOf(json.access_token)).toBe(rotated.json.current)
    expect(kidOf(tokens.access_token)).not.toBe(rotated.json.current)
    expect((await program.call('GET', '/v1/me', json.access_token)).status).toBe(200)
  })

  story('a refresh token that was copied ends the login', async () => {
    const { program, tokens } = await signedInProgram(await signedIn(first), first)
    const thief = new Program(await newProofKey('EdDSA'), new Visitor(edge.origin))
    expect(await thief.refresh(tokens.refresh_token)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    expect(await program.call('GET', '/v1/me', tokens.access_token)).toMatchObject({ status: 401 })
    expect((await program.refresh(tokens.refresh_token)).json.error_description).toMatch(/used with another key/)
  })
})
