/**
 * The edge is killed and stays away: who is in strict mode gets in until max_stale, everybody else until max_offline, what is open goes on
 * but for strict mode, and what happened meanwhile is told once the edge is back. Real processes, and the machine's own clock.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { exportJWK } from 'jose'
import type { Json } from '../../core/intent.ts'
import { newAuthenticator } from '../authenticator.ts'
import { Child } from '../bench/plane/child.ts'
import type { Certificate } from '../bench/plane/contender.ts'
import { connecting, discover, proverOf, resource, tlsTo } from '../bench/plane/openers.ts'
import { grantFor, ok, type Person, signIn } from '../bench/plane/person.ts'
import { makeCertificate } from '../bench/plane/rounds.ts'
import { startPair } from '../bench/plane/sallyport.ts'
import { note, startup, welcome } from '../bench/plane/wire.ts'
import { registerFirst, Visitor } from '../client.ts'
import { acceptInvite, addUser } from '../invited.ts'
import { pgDocument, putDocuments, readerRole } from '../proxies.ts'
import { until } from './proxy.ts'

const second = 1000
/** A grant lives for a minute, and those of before the kill must still be good when they are shown. */
const [maxStale, maxOffline] = [15, 40]

const strictRole: Json = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'strict' },
  spec: { options: { lock: 'strict' } },
}

interface People {
  readonly admin: Person
  readonly lea: Person
  /** In strict mode. */
  readonly sam: Person
}

export async function edgeGone(minutes: number): Promise<string> {
  if (minutes < 1) throw new Error('a minute at least: max_offline must pass')
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-soak-'))
  const backend = new Child<never, number>('backend')
  try {
    return await soak(folder, await backend.next(), minutes)
  } finally {
    await backend.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function soak(folder: string, backend: number, minutes: number): Promise<string> {
  const certificate = makeCertificate(folder)
  const own = join(folder, 'pair')
  mkdirSync(own)
  const ground = { folder: own, backend, certificate, nodeArgs: [] }
  let people: People | undefined
  const limits = { max_stale: `${maxStale}s`, max_offline: `${maxOffline}s` }
  const prepare = async (origin: string, secret: string) => {
    people = await peopleOf(origin, secret, backend)
  }
  const pair = await startPair(ground, prepare, limits)
  try {
    const { lea, sam, admin } = people as People
    const way = await wayTo(pair.port, certificate, lea)
    const [strict, other] = [await way.open(sam, await way.grant(sam)), await way.open(lea, await way.grant(lea))]
    expect([strict.status, other.status], [200, 200], 'before')
    const [strictLate, late, tooLate] = [await way.grant(sam), await way.grant(lea), await way.grant(lea)]
    const [strictSoon, killedAt] = [await way.grant(sam), Date.now()]
    process.kill(pair.beside?.pid ?? 0, 'SIGKILL')
    const at = (seconds: number) => sleep(Math.max(0, killedAt + seconds * second - Date.now()))

    await at(maxStale / 3)
    const soon = await way.open(sam, strictSoon)
    expect([soon.status], [200], 'in strict mode before max_stale')
    await at(maxStale + 6)
    expect([strict.isClosed(), soon.isClosed(), other.isClosed()], [true, true, false], 'open sessions after max_stale')
    if (!strict.said().includes('cannot know who is locked'))
      throw new Error('the session in strict mode was not told why it ended')
    const answers = [await way.open(sam, strictLate), await way.open(lea, late)]
    expect(
      answers.map(({ status }) => status),
      [503, 200],
      'after max_stale',
    )
    await at(maxOffline + 4)
    expect([(await way.open(lea, tooLate)).status], [503], 'after max_offline')
    const notes = await echoing(other, killedAt + minutes * 60 * second)
    other.end()
    await until(() => other.isClosed(), 'the session that went on does not end')

    const back = pair.startEdge()
    await back.said(/ready/)
    const events = await told(admin)
    return `${minutes} min without the edge: strict mode refused after ${maxStale} s and its 2 sessions ended, others opened until ${maxOffline} s; ${notes} notes went to and fro; once it was back it was told of ${events}`
  } finally {
    await pair.stop()
  }
}

function expect(seen: readonly unknown[], wanted: readonly unknown[], what: string): void {
  if (String(seen) !== String(wanted)) throw new Error(`${what}: ${seen} and not ${wanted}`)
}

async function peopleOf(origin: string, secret: string, backend: number): Promise<People> {
  const make = () => newAuthenticator({ origin, rpId: 'localhost' })
  const first = await make()
  await ok(registerFirst(new Visitor(origin), secret, first))
  const admin = await signIn(origin, first)
  const acting = { ...admin, token: admin.tokens.access_token }
  await putDocuments(acting, pgDocument(resource, { uri: `127.0.0.1:${backend}` }), readerRole('db-reader', false))
  await putDocuments(acting, strictRole as never)
  const invite = async (name: string, roles: readonly string[]) => {
    const { reply, privateKey } = await addUser(acting, name, roles)
    const passkey = await make()
    await ok(acceptInvite(new Visitor(origin), reply.json.invite, privateKey, passkey))
    return signIn(origin, passkey)
  }
  return {
    admin,
    lea: await invite('Lea', ['access', 'db-reader']),
    sam: await invite('Sam', ['access', 'db-reader', 'strict']),
  }
}

interface Tunnel {
  readonly status: number
  said(): string
  isClosed(): boolean
  write(bytes: Uint8Array): void
  end(): void
}

async function wayTo(port: number, { pem: ca }: Certificate, person: Person) {
  const keyOf = ({ program }: Person) => exportJWK(program.key.privateKey)
  const shown = { key: await keyOf(person), token: person.tokens.access_token, grants: [], proxy: '' }
  const proxy = await discover({ port, ca, shown })
  return {
    grant: (one: Person) => grantFor(one, proxy),
    open: async (one: Person, grant: string): Promise<Tunnel> => {
      const socket = connect(tlsTo({ port, ca }))
      const tunnel = heard(socket)
      await until(
        () => socket.getProtocol() !== null && !socket.connecting && socket.alpnProtocol !== null,
        'no handshake',
      )
      const nonce = socket.exportKeyingMaterial(32, 'EXPORTER-sallyport', Buffer.alloc(0)).toString('base64url')
      socket.write(connecting(proxy.id, grant, proverOf({ key: await keyOf(one) }), nonce))
      await until(() => tunnel.said().includes('\r\n\r\n'), 'no answer to a CONNECT')
      const status = Number(tunnel.said().split(' ')[1])
      if (status !== 200) return { ...tunnel, status }
      socket.write(startup('echo'))
      await until(() => tunnel.said().includes(welcome.toString('latin1')), 'the database did not welcome it')
      return { ...tunnel, status }
    },
  }
}

function heard(socket: TLSSocket): Omit<Tunnel, 'status'> {
  let said = ''
  socket
    .on('error', () => undefined)
    .on('data', (bytes: Buffer) => {
      said += bytes.toString('latin1')
    })
  return {
    said: () => said,
    isClosed: () => socket.closed,
    write: (bytes) => void socket.write(bytes),
    end: () => void socket.end(),
  }
}

/** Once a second until then: how often. */
async function echoing(tunnel: Tunnel, end: number): Promise<number> {
  let count = 0
  for (; Date.now() < end || count === 0; await sleep(second)) {
    const before = tunnel.said().length
    tunnel.write(note)
    await until(() => tunnel.said().length >= before + note.length, 'what is open does not go on')
    count++
  }
  return count
}

/** Of sessions, as the audit has them. A login of before lives on. */
async function told({ program, tokens }: Person): Promise<string> {
  const { access_token } = await ok(program.refresh(tokens.refresh_token))
  const counts = new Map<string, number>()
  for (const deadline = Date.now() + 60 * second; Date.now() < deadline; await sleep(second)) {
    const { events } = await ok(program.call('GET', '/v1/audit?limit=200', access_token))
    const kinds = (events as { kind: string }[]).map(({ kind }) => kind).filter((kind) => kind.startsWith('session.'))
    counts.clear()
    for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    if ((counts.get('session.stop') ?? 0) >= 3) break
  }
  const each = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')
  // Four that opened, of which the last stays open; two that were refused.
  if (counts.get('session.start') !== 4 || counts.get('session.stop') !== 3)
    throw new Error(`the edge was told: ${each}`)
  return each
}
