import { expect, test } from 'vitest'
import { ask, edgeThat, startProxy } from './proxy.ts'

const claims = [
  'Forwarded',
  'Via',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Anything',
  'X_Forwarded_For',
  'X-Real-IP',
  'CF-Connecting-IP',
  'True-Client-IP',
]
const ofOneHop = ['Keep-Alive', 'Proxy-Authorization', 'Proxy-Connection', 'TE', 'X-Named', 'X-Named-Too']

test('the edge sees the address of the connection and no claim of the client, and nothing that was for this hop', async () => {
  const edge = await edgeThat(({ rawHeaders }, response) => response.end(JSON.stringify(rawHeaders)))
  const proxy = await startProxy({ edge })
  const given = Object.fromEntries([...claims, ...ofOneHop].map((name) => [name, '192.0.2.1']))
  const headers = { ...given, Connection: 'close, X-Named,x-named-too ', 'X-Kept': 'yes', 'x-twice': ['1', '2'] }
  const raw = JSON.parse((await ask(proxy, '/v1/x', { method: 'POST', body: '{}', headers })).body) as string[]
  expect(raw.filter((text) => text === '192.0.2.1')).toEqual([])
  const names = raw.filter((_, i) => i % 2 === 0)
  expect(names.filter((name) => /forward|real-ip|client-ip|connecting|via|named/i.test(name))).toEqual([
    'X-Forwarded-For',
  ])
  expect(raw[raw.indexOf('X-Forwarded-For') + 1]).toBe('127.0.0.1')
  expect(raw[raw.indexOf('X-Kept') + 1]).toBe('yes')
  expect(names.filter((name) => name === 'x-twice')).toHaveLength(2)
})

test('an answer loses what was for the hop between edge and proxy', async () => {
  const edge = await edgeThat((_, response) => {
    const of = {
      'Proxy-Authenticate': 'Basic',
      'Alt-Svc': 'h3=":443"',
      Connection: 'X-Hop',
      'X-Hop': '1',
      'X-Kept': 'yes',
    }
    response.writeHead(200, of).end()
  })
  const { headers } = await ask(await startProxy({ edge }), '/v1/x')
  expect(headers['x-kept']).toBe('yes')
  for (const name of ['proxy-authenticate', 'alt-svc', 'x-hop']) expect(headers).not.toHaveProperty(name)
})
