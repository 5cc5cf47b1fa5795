/** `sallyport-edge proxies`: on the edge's own machine, and for an edge elsewhere by SALLYPORT_KEY. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { base64url } from '../../../core/lib/bytes.ts'
import { jwkThumbprint } from '../../../core/lib/jwk.ts'
import { readConfigFile } from '../../../proxy/config-file.ts'
import { launchServe, type Running, remove } from '../../runtime/launch.ts'
import { keyOf, start } from './start.ts'

let edge: Running
beforeAll(async () => {
  edge = await launchServe('node')
})
afterAll(async () => {
  await edge.stop()
  remove(edge.home)
})

const newX = () => base64url(crypto.getRandomValues(new Uint8Array(32)))
const here = () => ({ SALLYPORT_HOME: edge.home, SALLYPORT_EDGE_PORT: new URL(edge.origin).port })
const proxies = (...args: string[]) => start(here(), ['proxies', ...args])

test('add prints a proxy.yaml with the keys that the edge publishes; ls and rm know the proxy by its name', async () => {
  const x = newX()
  const added = await proxies('add', 'p1', `--key=${x}`)
  expect({ code: added.code, stderr: added.stderr }).toEqual({ code: 0, stderr: '' })
  const { keys } = (await (await fetch(`${edge.origin}/oauth/jwks`)).json()) as { keys: { kid: string; x: string }[] }
  const { trust, edge: url, publicUrl } = readConfigFile('proxy.yaml', added.stdout)
  expect([url.origin, publicUrl.origin]).toEqual([edge.origin, edge.origin])
  expect(trust.keys).toEqual(keys.map(({ kid, x: point }) => ({ kid, x: point })))
  const id = jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })
  expect((await proxies('ls')).stdout).toBe(`p1  ${id}\n`)
  expect(await proxies('rm', 'p1')).toMatchObject({ code: 0 })
  expect((await proxies('ls')).stdout).toBe('')
  expect((await proxies('rm', 'p1')).stderr).toMatch(/there is no proxy p1\nhint: .*proxies ls/)
})

test('from elsewhere, proven by SALLYPORT_KEY, it prints the same; with another key it lets nobody in', async () => {
  const args = ['proxies', 'add', 'p2', `--key=${newX()}`, '--url', edge.origin]
  const refused = await start({ SALLYPORT_KEY: newX() }, args)
  expect(refused.stderr).toMatch(/answered 4\d\d: .*\nhint: check SALLYPORT_KEY/)
  expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 1, stdout: '' })
  const added = await start({ SALLYPORT_KEY: readFileSync(keyOf(edge.home), 'utf8').trim() }, args)
  expect({ code: added.code, stderr: added.stderr }).toEqual({ code: 0, stderr: '' })
  const local = await proxies('add', 'p3', `--key=${newX()}`)
  expect(added.stdout.replace('p2', 'p3')).toBe(local.stdout)
  expect((await proxies('ls')).stdout).toMatch(/^p2 {2}\S+\np3 {2}\S+\n$/)
})

test.each([
  ['a name that is none', ['P 1', `--key=${newX()}`]],
  ['a key that is none', ['p4', '--key=short']],
])('%s is refused', async (_, args) => {
  const { code, stdout, stderr } = await proxies('add', ...args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/NAME or --key cannot be registered\nhint: .*sallyport-proxy identity/)
})
