/** `sallyport-edge recover`: on the machine of the edge, and for one that is deployed. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newAuthenticator } from '../../authenticator.ts'
import { registerFirst, Visitor } from '../../client.ts'
import { freePort, launchServe } from '../../runtime/launch.ts'
import { keyOf, newHome, start } from './start.ts'

async function scene() {
  const [home, port] = [newHome(), await freePort()]
  const edge = await launchServe('node', { home, port })
  const passkey = await newAuthenticator({ origin: edge.origin, rpId: 'localhost' })
  const local = { SALLYPORT_HOME: home, SALLYPORT_EDGE_PORT: String(port) }
  const check = (secret: string) => new Visitor(edge.origin).post('/v1/recovery/check', { secret })
  const first = () => registerFirst(new Visitor(edge.origin), edge.secret ?? '', passkey)
  return { edge, home, local, check, first }
}

const transcript =
  /^recovery of (Ada|Grace): http:\/\/localhost:\d+\/recover#([\w-]{43})\nThe link works once, for one hour, [\s\S]*Proxies that pin root fingerprints do not know it: "sallyport admin status" shows it afterwards;\n.*\n$/

test('recover: refused before there is an administrator; then a link, which a newer one kills', async () => {
  const { edge, local, check, first } = await scene()
  try {
    expect(await start(local, ['recover', 'Ada'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'sallyport: error: Cannot start: there is no administrator yet\nhint: make the first one: sallyport-edge init\n',
    })
    expect((await first()).status).toBe(200)
    const older = await start(local, ['recover', 'Ada'])
    expect(older.stdout).toMatch(transcript)
    const newer = await start(local, ['recover', 'Grace'])
    const secretOf = (text: string) => transcript.exec(text)?.[2] ?? ''
    expect((await check(secretOf(older.stdout))).status).toBe(410)
    expect((await check(secretOf(newer.stdout))).json).toMatchObject({ name: 'Grace', is_new: true })
    expect(await start(local, ['recover', '<Ada>'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nobody can be called "<Ada>"\nhint: use 1 to 64 letters'),
    })
  } finally {
    await edge.stop()
  }
})

test('recover --url: with SALLYPORT_KEY, and without it or with another it offers nothing', async () => {
  const { edge, home, check, first } = await scene()
  try {
    expect((await first()).status).toBe(200)
    const away = { SALLYPORT_HOME: newHome() }
    const args = ['recover', 'Ada', '--url', edge.origin]
    expect((await start(away, args)).stderr).toContain('SALLYPORT_KEY is not set')
    const other = await start({ ...away, SALLYPORT_KEY: 'A'.repeat(43) }, args)
    expect(other.stderr).toMatch(/answered 401: .*\nhint: check SALLYPORT_KEY/)
    const { stdout } = await start({ ...away, SALLYPORT_KEY: readFileSync(keyOf(home), 'utf8').trim() }, args)
    expect((await check(transcript.exec(stdout)?.[2] ?? '')).json).toMatchObject({ name: 'Ada', is_new: false })
  } finally {
    await edge.stop()
  }
})
