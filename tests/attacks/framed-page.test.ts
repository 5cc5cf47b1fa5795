import { expect, test } from 'vitest'
import { askForCodes, headlessRole } from '../device-flow.ts'
import { askForTap, newAdmin, newInvitation, newPerson, putDocuments } from '../people.ts'
import { askOf } from '../program.ts'

test('no page that asks for a tap can be shown in a frame, nor take a script, a style or a form from elsewhere', async () => {
  const admin = await newAdmin()
  const { edge, visitor, program } = admin
  const { body } = await newInvitation('Bob')
  const { approve_url } = (await askForTap(admin, body)).json
  const authorize = (more: Record<string, string> = {}) =>
    `/oauth/authorize?${new URLSearchParams({ ...askOf(program.key).parameters, ...more })}`
  const pages: [path: string, status: number][] = [
    ['/account', 200],
    ['/invite', 200],
    [authorize(), 200],
    [authorize({ client_id: 'x' }), 400],
    [authorize({ prompt: 'none' }), 302],
    [approve_url.slice(edge.site.origin.length), 200],
    ['/approve?ticket=x&redirect_uri=http://127.0.0.1:1/callback', 401],
    ['/approve', 400],
    ['/device', 403],
    ['/nothing', 404],
  ]
  await putDocuments(admin, [headlessRole()])
  const bob = await newPerson(admin, 'Bob', ['headless'])
  const { user_code } = await askForCodes(await edge.program())
  const bobs: typeof pages = [
    ['/device', 200],
    [`/device?user_code=${user_code}`, 200],
    ['/device?user_code=ZZZZ-ZZZZ', 404],
  ]
  const all = [...pages.map((one) => [visitor, ...one] as const), ...bobs.map((one) => [bob.visitor, ...one] as const)]
  for (const [who, path, expected] of all) {
    const { status, headers } = await who.get(path)
    expect([path, status]).toEqual([path, expected])
    const policy = headers.get('content-security-policy') ?? ''
    for (const rule of ["frame-ancestors 'none'", "default-src 'none'", "script-src 'self'", "form-action 'self'"])
      expect(policy.split('; ')).toContain(rule)
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
  }
})

test('what a program chose is text on the page, and no markup', async () => {
  const { edge, visitor } = await newAdmin()
  const state = `"><script>alert(1)</script><b a='`
  const { parameters } = askOf((await edge.program()).key, { state, nonce: state })
  const page = await visitor.get(`/oauth/authorize?${new URLSearchParams(parameters)}`)
  expect(page.status).toBe(200)
  expect(page.text).not.toContain('<script>alert')
  expect(page.text).not.toContain("<b a='")
})
