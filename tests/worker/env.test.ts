import { describe, expect, test } from 'vitest'
import { SetupProblem } from '../../core/setup-problem.ts'
import { readKey, readServeSettings, readSite } from '../../worker/env.ts'
import { hashOf } from '../core/signer.ts'

/** The message and the hint of a problem; anything else fails. */
async function problemOf(work: () => unknown): Promise<{ message: string; hint: string }> {
  const outcome = await Promise.resolve()
    .then(work)
    .catch((error: unknown) => error)
  if (!(outcome instanceof SetupProblem)) throw new Error(`no problem: ${JSON.stringify(outcome)}`)
  expect(outcome.hint).not.toBe('')
  return { message: outcome.message, hint: outcome.hint }
}

const site = (url: string, more: Record<string, unknown> = {}) => readSite({ SALLYPORT_PUBLIC_URL: url, ...more })

describe('readSite', () => {
  test('takes everything from the public URL', async () => {
    expect(await site('https://access.example.com')).toEqual({
      cluster: 'access.example.com',
      origin: 'https://access.example.com',
      rpId: 'access.example.com',
      rpIdHash: hashOf('access.example.com'),
    })
  })

  test.each([
    ['https://access.example.com/', 'https://access.example.com'],
    ['HTTPS://ACCESS.Example.COM', 'https://access.example.com'],
    ['https://access.example.com:443', 'https://access.example.com'],
    ['https://access.example.com:8443', 'https://access.example.com:8443'],
    ['https://localhost:3080', 'https://localhost:3080'],
    ['http://localhost:3080', 'http://localhost:3080'],
    ['http://sallyport.localhost', 'http://sallyport.localhost'],
    ['https://zugang.müller.example', 'https://zugang.xn--mller-kva.example'],
  ])('reads %s as %s, which is what browsers say', async (url, origin) => {
    expect((await site(url)).origin).toBe(origin)
  })

  test.each([
    'access.example.com',
    'https://',
    '//access.example.com',
    'https://access.example.com/path',
    'https://access.example.com/?a',
    'https://access.example.com/#a',
    'https://user@access.example.com',
    'https://:password@access.example.com',
    'https://a b.example',
    ' ',
  ])('refuses %j: scheme, host and port only', async (url) => {
    expect((await problemOf(() => site(url))).hint).toMatch(/scheme, host and port only/)
  })

  test.each([
    'http://access.example.com',
    'http://localhost.example.com',
    'http://notlocalhost',
    'ftp://access.example.com',
    'ws://localhost',
    'http://192.0.2.1',
  ])('refuses %s: browsers allow no passkeys there', async (url) => {
    expect((await problemOf(() => site(url))).hint).toMatch(/https|scheme/)
  })

  test.each([
    'https://192.0.2.1',
    'https://127.1',
    'https://0x7f000001',
    'https://[::1]:3080',
    'https://[2001:db8::1]',
  ])('refuses the address %s: passkeys want a name', async (url) => {
    expect((await problemOf(() => site(url))).hint).toMatch(/use a name/)
  })

  test('wants the URL, from the setting or from the runtime; an empty one is none', async () => {
    for (const variables of [{}, { SALLYPORT_PUBLIC_URL: '' }, { SALLYPORT_PUBLIC_URL: 1 }])
      expect((await problemOf(() => readSite(variables))).message).toBe('SALLYPORT_PUBLIC_URL is not set')
    expect((await readSite({}, 'http://localhost:3080')).origin).toBe('http://localhost:3080')
    const both = { SALLYPORT_PUBLIC_URL: 'https://access.example.com' }
    expect((await readSite(both, 'http://localhost:3080')).origin).toBe('https://access.example.com')
  })
})

describe('readSite, of relying party and cluster,', () => {
  test.each(['example.com', 'access.example.com'])('takes the relying party %s', async (rpId) => {
    const read = await site('https://access.example.com:8443', { SALLYPORT_RP_ID: rpId })
    expect(read).toMatchObject({ rpId, rpIdHash: hashOf(rpId), origin: 'https://access.example.com:8443' })
  })

  test.each([
    'example.org',
    'ccess.example.com',
    'xample.com',
    'x.access.example.com',
    'EXAMPLE.com',
    'example.com.',
    '.example.com',
    'https://example.com',
    'example.com:8443',
    ' example.com',
  ])('refuses the relying party %j', async (rpId) => {
    const { message } = await problemOf(() => site('https://access.example.com', { SALLYPORT_RP_ID: rpId }))
    expect(message).toContain(`SALLYPORT_RP_ID is ${rpId}`)
  })

  test.each(['a', 'a.b-c', '0', 'x'.repeat(63)])('takes the cluster %s', async (cluster) => {
    expect(await site('https://access.example.com', { SALLYPORT_CLUSTER: cluster })).toMatchObject({ cluster })
  })

  test.each(['A', '-a', '.a', 'a_b', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(64)])(
    'refuses the cluster %j',
    async (cluster) => {
      const { message } = await problemOf(() => site('https://access.example.com', { SALLYPORT_CLUSTER: cluster }))
      expect(message).toBe(`SALLYPORT_CLUSTER is ${JSON.stringify(cluster)}`)
    },
  )
})

describe('readKey', () => {
  const key = Buffer.alloc(32, 7).toString('base64url')

  test('reads 32 bytes, and nothing where nothing is set', () => {
    expect(readKey({ SALLYPORT_KEY: key })).toEqual(new Uint8Array(32).fill(7))
    expect(readKey({ SALLYPORT_KEY: ` ${key}\n` })).toEqual(new Uint8Array(32).fill(7))
    expect(readKey({})).toBeUndefined()
    expect(readKey({ SALLYPORT_KEY: '' })).toBeUndefined()
  })

  test.each([
    ['too short', key.slice(0, -1)],
    ['too long', `${key}A`],
    ['hex', '07'.repeat(32)],
    ['padded', `${key}=`],
    ['a password', 'correct horse battery staple'],
    ['white space', ' '],
  ])('refuses one that is %s, and does not repeat it', async (_what, text) => {
    const { message, hint } = await problemOf(() => readKey({ SALLYPORT_KEY: text }))
    expect(message).toBe('SALLYPORT_KEY is not 32 bytes in base64url')
    if (text.trim() !== '') expect(message + hint).not.toContain(text)
  })
})

describe('readServeSettings', () => {
  test('has a default for each', () => {
    expect(readServeSettings({})).toEqual({ port: 3080, home: '.sallyport', failedLoginsAMinute: 10 })
  })

  test('reads each', () => {
    const variables = { SALLYPORT_EDGE_PORT: '65535', SALLYPORT_HOME: '/srv/sallyport', SALLYPORT_LOGIN_LIMIT: '1' }
    expect(readServeSettings(variables)).toEqual({ port: 65_535, home: '/srv/sallyport', failedLoginsAMinute: 1 })
  })

  test.each(['0', '65536', '-1', '1.5', '1e3', '0x50', '80 ', 'http', '٣'])('refuses the port %j', async (port) => {
    const { message } = await problemOf(() => readServeSettings({ SALLYPORT_EDGE_PORT: port }))
    expect(message).toBe(`SALLYPORT_EDGE_PORT is ${JSON.stringify(port)}`)
  })

  test.each(['0', '-5', '10.5', 'none', '1000000001'])('refuses the limit %j', async (limit) => {
    const { message } = await problemOf(() => readServeSettings({ SALLYPORT_LOGIN_LIMIT: limit }))
    expect(message).toBe(`SALLYPORT_LOGIN_LIMIT is ${JSON.stringify(limit)}`)
  })
})
