import { expect, test } from 'vitest'
import { lastRefusal, newAdministrator } from '../edge.ts'
import { askForTap, newAdmin, newInvitation } from '../people.ts'
import { approvalBody, approve, askOf } from '../program.ts'

const elsewhere = [
  'https://127.0.0.1:49152/callback',
  'http://localhost:49152/callback',
  'http://127.0.0.2:49152/callback',
  'http://0.0.0.0:49152/callback',
  'http://127.1:49152/callback',
  'http://2130706433:49152/callback',
  'http://0x7f.0.0.1:49152/callback',
  'http://127.0.0.1.:49152/callback',
  'http://127.0.0.1.evil.example:49152/callback',
  'http://[::]:49152/callback',
  'http://[::ffff:127.0.0.1]:49152/callback',
  'http://[0:0:0:0:0:0:0:1]:49152/callback',
  'http://127.0.0.1:49152/other',
  'http://127.0.0.1:49152/callback/',
  'http://127.0.0.1:49152//callback',
  'http://127.0.0.1:49152/./callback',
  'http://127.0.0.1:49152/callback?a=1',
  'http://127.0.0.1:49152/callback#b',
  'http://127.0.0.1:49152/callback?',
  'http://evil@127.0.0.1:49152/callback',
  'http://127.0.0.1:49152@evil.example/callback',
  'http://127.0.0.1:49152%2f@evil.example/callback',
  'http://127.0.0.1:49152/%63allback',
  'http://127%2e0.0.1:49152/callback',
  'HTTP://127.0.0.1:49152/callback',
  'http://127.0.0.1:49152/CALLBACK',
  'http://127.0.0.1/callback',
  'http://127.0.0.1:/callback',
  'http://127.0.0.1:0/callback',
  'http://127.0.0.1:049152/callback',
  'http://127.0.0.1:65536/callback',
  'http://127.0.0.1:149152/callback',
  'http://127.0.0.1:+4915/callback',
  'http:\\\\127.0.0.1:49152\\callback',
  'http:/127.0.0.1:49152/callback',
  '//127.0.0.1:49152/callback',
  'http://127.0.0.1:49152/callback\n',
  ' http://127.0.0.1:49152/callback',
  'http://127.0.0.1:49152/callback\r\nSet-Cookie: a=b',
  'sallyport://callback',
  'urn:ietf:wg:oauth:2.0:oob',
  'javascript:alert(1)//http://127.0.0.1:49152/callback',
  'data:text/html,http://127.0.0.1:49152/callback',
  'https://evil.example/callback',
  '',
]

test.each(elsewhere)(
  'no redirect goes to %j: the person sees a page, and there is no code for it',
  async (redirect_uri) => {
    const { edge, passkey, visitor } = await newAdministrator()
    const { parameters } = askOf((await edge.program()).key, { redirect_uri })
    for (const wrong of [{}, { prompt: 'none' }, { response_type: 'token' }]) {
      const page = await visitor.get(`/oauth/authorize?${new URLSearchParams({ ...parameters, ...wrong })}`)
      expect(page.status).toBe(400)
      expect(page.headers.get('location')).toBeNull()
      expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    }
    for (const step of ['begin', 'refuse']) {
      const reply = await visitor.post(`/v1/authorize/${step}`, { request: parameters })
      expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
    }
    const good = askOf((await edge.program()).key)
    const tapped = await approvalBody(visitor, passkey, good.parameters)
    const finish = await visitor.post('/v1/authorize/finish', {
      ...tapped,
      request: { ...good.parameters, redirect_uri },
    })
    expect(finish).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
    expect(edge.rows('select hash from codes')).toEqual([])
  },
)

test('nor does a tap that a program waits for', async () => {
  const admin = await newAdmin()
  const { edge, visitor, program, token } = admin
  const { body } = await newInvitation('Bob')
  const { ticket } = (await askForTap(admin, body)).json
  for (const redirect_uri of elsewhere) {
    const asked = { operation: 'userAdd', body, redirect_uri, state: '' }
    const begun = await program.call('POST', '/v1/taps', token, { body: asked })
    expect(begun).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
    const page = await visitor.get(`/approve?${new URLSearchParams({ ticket, redirect_uri, state: '' })}`)
    expect([page.status, page.headers.get('location')]).toEqual([400, null])
    expect((await visitor.post('/v1/taps/refuse', { ticket, redirect_uri, state: '' })).status).toBe(400)
    expect(lastRefusal(edge)).toBe('redirect_invalid')
  }
})

test.each(['http://127.0.0.1:1/callback', 'http://127.0.0.1:65535/callback', 'http://[::1]:49152/callback'])(
  'the loopback address %s is a redirect',
  async (redirect_uri) => {
    const { edge, passkey, visitor } = await newAdministrator()
    const { json } = await approve(visitor, passkey, askOf((await edge.program()).key, { redirect_uri }))
    expect(json.location.startsWith(`${redirect_uri}?code=`)).toBe(true)
  },
)
