/** CONNECT under `http/1.1` with a grant and the proof of its key, for forward-proxy clients that can make one: no role need give words. */
import { connect, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { newProofKey } from '../../program.ts'
import { atEnd, until } from '../proxy.ts'
import { askOf, put, samples } from '../sessions/kinds.ts'
import { eventsOf, grantFor, Tunnel, type World, type Wrong } from '../sessions/world.ts'
import { basic, established, wordOf, wordWorld } from './words.ts'

type Version = 'TLSv1.2' | 'TLSv1.3'

async function dialHttp(world: World, maxVersion: Version = 'TLSv1.3', alpn = ['http/1.1']): Promise<Tunnel> {
  const { port, ca } = world.proxy
  const socket = connect({
    ...{ port, host: '127.0.0.1', ca, servername: 'localhost', maxVersion },
    ...(alpn.length > 0 && { ALPNProtocols: alpn }),
  })
  atEnd(() => socket.destroy())
  await new Promise<void>((done, fail) => void socket.once('secureConnect', done).once('error', fail))
  return new Tunnel(world.proxy, socket as TLSSocket)
}

const noWords = () => wordWorld({ role: { bearer_grants: false } })
const grantOf = (world: World) => grantFor(world, world.lea, askOf(world, 'app'))
const wiki = { name: 'wiki' }

async function linesOf(world: World, tunnel: Tunnel, grant: string, wrong: Wrong = {}): Promise<string[]> {
  const { key, iat } = world.lea.program
  return tunnel.connectLines(grant, wrong.key ?? key, iat, { ...wiki, ...wrong })
}

test.each([
  ['http/1.1', ['http/1.1']],
  ['no protocol named', []],
])('%s: it opens one tunnel without a word, bytes pass, and the grant is spent', async (_, alpn) => {
  const world = await noWords()
  const grant = await grantOf(world)
  const tunnel = await dialHttp(world, 'TLSv1.3', alpn)
  tunnel.send(...(await linesOf(world, tunnel, grant)))
  await tunnel.until((said) => said === established)
  tunnel.socket.write('hello')
  await tunnel.until((said) => said === `${established}hello`)
  const again = await dialHttp(world, 'TLSv1.3', alpn)
  const { status, json, head } = await again.connect(grant, world.lea, wiki)
  expect({ status, error: json['error'] }).toEqual({ status: 403, error: 'grant_invalid' })
  expect(head).toContain('\r\nConnection: close')
  await again.closed
  expect(world.upstream.connections).toHaveLength(1)
  await until(() => eventsOf(world.edge).length === 2)
  const [started, refused] = eventsOf(world.edge)
  expect(String(started?.['detail'])).not.toContain('bearer')
  expect(refused).toMatchObject({ kind: 'session.refuse', code: 'grant_spent' })
})

test('of twenty that show one grant, each with a proof of its own, one is in', async () => {
  const world = await noWords()
  const grant = await grantOf(world)
  const tunnels = await Promise.all(Array.from({ length: 20 }, () => dialHttp(world)))
  const answers = await Promise.all(tunnels.map((tunnel) => tunnel.connect(grant, world.lea, wiki)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(19)
  expect(world.upstream.connections).toHaveLength(1)
})

test('a proof over another connection, of another key, or for something else opens nothing, and spends nothing', async () => {
  const world = await noWords()
  const other = await dialHttp(world)
  const grant = await grantOf(world)
  const { id } = world.proxy.identity
  const wrongs: readonly [string, Wrong][] = [
    ['invalid_dpop_proof', { nonce: other.exporter }],
    ['invalid_dpop_proof', { url: `sallyport://${id}/wiki-2` }],
    ['invalid_dpop_proof', { url: `sallyport://${id}/.well-known/sallyport/bearer` }],
    ['invalid_dpop_proof', { id: 'another' }],
    ['grant_invalid', { key: await newProofKey() }],
  ]
  for (const [error, wrong] of wrongs) {
    const tunnel = await dialHttp(world)
    const { status, json } = await tunnel.connect(grant, world.lea, { ...wiki, ...wrong })
    expect({ status, error: json['error'] }, JSON.stringify(Object.keys(wrong))).toEqual({ status: 403, error })
    await tunnel.closed
  }
  expect(world.upstream.connections).toEqual([])
  const tunnel = await dialHttp(world)
  expect(await tunnel.connect(grant, world.lea, wiki)).toMatchObject({ status: 200 })
})

test('without a proof, with two, and with something that is none', async () => {
  const world = await noWords()
  const grant = await grantOf(world)
  const proofs: readonly [number, (own: string) => string[]][] = [
    [403, () => []],
    [400, (own) => [own, own]],
    [403, () => ['DPoP: a.b.c']],
  ]
  for (const [status, proofsOf] of proofs) {
    const tunnel = await dialHttp(world)
    const lines = await linesOf(world, tunnel, grant)
    tunnel.send(...lines.slice(0, 3), ...proofsOf(lines[3] as string))
    expect(await tunnel.answer()).toMatchObject({ status })
    await tunnel.closed
  }
  expect(world.upstream.connections).toEqual([])
})

test('a grant for one resource opens no other', async () => {
  const world = await noWords()
  await put(world, samples.app.document(world.upstream.uri, 'wiki-2'))
  await world.proxy.serving.trust.ask()
  const tunnel = await dialHttp(world)
  const answer = await tunnel.connect(await grantOf(world), world.lea, { name: 'wiki-2' })
  expect(answer).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  expect(world.upstream.connections).toEqual([])
})

test('before TLS 1.3 no proof names one connection: it opens nothing there, and is still good', async () => {
  const world = await noWords()
  const grant = await grantOf(world)
  const old = await dialHttp(world, 'TLSv1.2')
  const answer = await old.connect(grant, world.lea, wiki)
  expect(answer).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  expect(world.proxy.log.some(({ detail }) => String(detail).includes('tls_too_old'))).toBe(true)
  const tunnel = await dialHttp(world)
  expect(await tunnel.connect(grant, world.lea, wiki)).toMatchObject({ status: 200 })
})

test('a word and a grant together are two credentials: neither is used', async () => {
  const world = await wordWorld()
  const [word, grant] = [await wordOf(world), await grantOf(world)]
  for (const isWordFirst of [true, false]) {
    const tunnel = await dialHttp(world)
    const lines = await linesOf(world, tunnel, grant)
    tunnel.send(...(isWordFirst ? [...lines.slice(0, 2), basic(word), ...lines.slice(2)] : [...lines, basic(word)]))
    expect(await tunnel.answer()).toMatchObject({ status: 400, json: { error: 'bad_request' } })
  }
  const [byWord, byGrant] = [await dialHttp(world), await dialHttp(world)]
  byWord.send('CONNECT wiki:443 HTTP/1.1', 'Host: wiki:443', basic(word))
  await byWord.until((said) => said === established)
  expect(await byGrant.connect(grant, world.lea, wiki)).toMatchObject({ status: 200 })
})

test('a grant as a password is a stranger’s word, and a word as a grant is none', async () => {
  const world = await wordWorld()
  const [word, grant] = [await wordOf(world), await grantOf(world)]
  const asWord = await dialHttp(world)
  asWord.send('CONNECT wiki:443 HTTP/1.1', 'Host: wiki:443', basic(grant))
  expect(await asWord.answer()).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  const asGrant = await dialHttp(world)
  expect(await asGrant.connect(word, world.lea, wiki)).toMatchObject({ status: 403, json: { error: 'grant_invalid' } })
  expect(world.upstream.connections).toEqual([])
})
