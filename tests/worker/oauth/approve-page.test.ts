/** The page that shows a waiting request: to its user, for five minutes, and nothing of it to anybody else. */
import { describe, expect, test } from 'vitest'
import { minutes } from '../../../core/model.ts'
import { newVouchKey } from '../../client.ts'
import { newAdministrator, newLogin } from '../../edge.ts'
import { redirectUri } from '../../program.ts'

async function waiting() {
  const { edge, passkey, visitor } = await newAdministrator()
  const { program, tokens } = await newLogin(edge, visitor, passkey)
  const { vouch_key: invite_key } = await newVouchKey()
  const body = { name: 'Grace', roles: ['access'], invite_key }
  const asked = { operation: 'userAdd', body, redirect_uri: redirectUri, state: 'AAAA' }
  const { json } = await program.call('POST', '/v1/taps', tokens.access_token, { body: asked })
  return { edge, visitor, address: program.visitor.address, url: new URL(json.approve_url) }
}
const placeOf = ({ pathname, search }: URL): string => pathname + search
const changed = (url: URL, name: string, value: string): string => {
  const copy = new URL(url)
  copy.searchParams.set(name, value)
  return placeOf(copy)
}

describe('/approve', () => {
  test('shows the request with the address of the program that asked, not of the browser', async () => {
    const { visitor, url, address } = await waiting()
    const { status, text } = await visitor.get(placeOf(url))
    expect(status).toBe(200)
    expect(text).toContain('<span class="thing">Invite Grace with the role access</span>')
    expect(text).toContain(`<span class="address">${address}</span>`)
    expect(address).not.toBe(visitor.address)
  })

  test('after five minutes says that it has expired, with nothing to press', async () => {
    const { edge, visitor, url } = await waiting()
    edge.advance(minutes(5) - 1000)
    expect((await visitor.get(placeOf(url))).status).toBe(200)
    edge.advance(1000)
    const { status, text } = await visitor.get(placeOf(url))
    expect(status).toBe(403)
    expect(text).toContain('This has expired')
    expect(text).not.toMatch(/<(button|form|script)|Grace/)
  })

  test('leads whoever is not signed in to signing in, and then here', async () => {
    const { edge, url } = await waiting()
    const { status, headers } = await edge.visitor().get(placeOf(url))
    expect(status).toBe(302)
    expect(headers.get('location')).toBe(`/?next=${encodeURIComponent(placeOf(url))}`)
  })

  test('shows nothing that would be sent elsewhere', async () => {
    const { visitor, url } = await waiting()
    for (const elsewhere of ['https://attacker.example/callback', 'http://localhost:49152/callback', '']) {
      const { status, text } = await visitor.get(changed(url, 'redirect_uri', elsewhere))
      expect(status).toBe(400)
      expect(text).not.toMatch(/<button|Grace/)
    }
  })

  test('shows nothing for a ticket that is not the edge’s, or is for something else', async () => {
    const { visitor, url } = await waiting()
    const login = (await visitor.post('/v1/login/begin', {})).json.ticket as string
    for (const ticket of [login, `${url.searchParams.get('ticket')}A`, '']) {
      const { status, text } = await visitor.get(changed(url, 'ticket', ticket))
      expect(status).toBe(401)
      expect(text).not.toMatch(/<button|Grace/)
    }
  })
})
