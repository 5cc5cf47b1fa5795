import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localCertificates } from '../../../proxy/local-ca.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { newHome } from '../../worker/start/start.ts'
import { atEnd, local, needs } from '../proxy.ts'
import { start, startReady } from './start.ts'

async function expectRefused(env: Readonly<Record<string, string>>, what: RegExp, hint: RegExp): Promise<void> {
  const { code, stdout, stderr } = await start(env)
  const [first = '', second = '', ...others] = stderr.split('\n')
  expect(first).toMatch(/^sallyport: error: Cannot start: ./)
  expect(first).toMatch(what)
  expect(second).toMatch(/^hint: ./)
  expect(second).toMatch(hint)
  expect({ code, stdout, others }).toEqual({ code: 1, stdout: '', others: [''] })
}

test.each([['dance'], ['start', 'now'], ['--dance']].map((args) => ({ args })))(
  'sallyport-proxy $args: the usage on stderr, exit 2, nothing made',
  async ({ args }) => {
    const home = newHome()
    const { code, stdout, stderr } = await start({ SALLYPORT_HOME: home }, args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: sallyport-proxy \[start\]/)
    expect(existsSync(home)).toBe(false)
  },
)

test('sallyport-proxy --help: the usage on stdout, exit 0', async () => {
  const { code, stdout, stderr } = await start({}, ['--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: sallyport-proxy \[start\]/)
})

test('a wrong setting, before anything is made', async () => {
  const home = newHome()
  await expectRefused(
    { SALLYPORT_HOME: home, SALLYPORT_PROXY_PORT: 'x' },
    /SALLYPORT_PROXY_PORT is "x"/,
    /whole number/,
  )
  expect(existsSync(join(home, 'ca.pem'))).toBe(false)
})

test.for(['127.0.0.1', '::1'])('a port in use on %s', async (host, context) => {
  const port = await freePort()
  const server = createServer()
  const isTaken = await new Promise<boolean>((done) => {
    server.once('error', () => done(false)).listen({ host, port, ipv6Only: true }, () => done(true))
  })
  if (!isTaken) return context.skip(`this machine has no ${host}`)
  atEnd(() => server.close())
  const env = { SALLYPORT_HOME: newHome(), SALLYPORT_PROXY_PORT: String(port) }
  await expectRefused(env, new RegExp(`port ${port} is in use`), /SALLYPORT_PROXY_PORT/)
})

test('an address that this machine does not have', async () => {
  const env = { SALLYPORT_HOME: newHome(), SALLYPORT_PROXY_HOST: '192.0.2.1' }
  await expectRefused(env, /192\.0\.2\.1 cannot be opened \(EADDRNOTAVAIL\)/, /SALLYPORT_PROXY_HOST/)
})

test('a key of the authority that others can read', async (context) => {
  if (process.platform === 'win32') return context.skip('Windows has no such permissions')
  const home = newHome()
  const { child, ended } = await startReady({ SALLYPORT_HOME: home })
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
  chmodSync(join(home, 'ca.key'), 0o644)
  await expectRefused({ SALLYPORT_HOME: home }, /ca\.key can be read by others/, /chmod 600/)
})

test('a certificate of one’s own: the files are named, and no authority is made', async () => {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const issued = (await (await localCertificates(needs, folder, local)).first()) as { cert: string; key: string }
  const [cert, key] = [join(folder, 'own.pem'), join(folder, 'own.key')]
  const home = newHome()
  const env = { SALLYPORT_HOME: home, SALLYPORT_PROXY_CERT: cert, SALLYPORT_PROXY_KEY: key }
  await expectRefused(env, /own\.pem cannot be read \(ENOENT/, /readable/)
  writeFileSync(cert, issued.cert)
  writeFileSync(key, 'x')
  await expectRefused(env, /own\.key holds no private key/, /PEM/)
  writeFileSync(key, issued.key)
  const { child, ended } = await startReady(env)
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
  expect(existsSync(join(home, 'ca.pem'))).toBe(false)
})
