/** Clients with no helper: a certificate with a grant in it, and Postgres's own preamble before TLS. */
import { type ChildProcess, spawn } from 'node:child_process'
import { KeyObject, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect as dialTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import { issueGrantCertificate, newKeys } from '../../../core/issue/x509.ts'
import { type EcJwk, jwkThumbprint } from '../../../core/lib/jwk.ts'
import type { Holder } from '../../../core/model.ts'
import type { Person } from '../../people.ts'
import { askFor } from '../../proxies.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, needs, type Reachable } from '../proxy.ts'
import { startup } from './database.ts'
import { grantFor, nameOf, type Reached, type World } from './world.ts'

export const sslRequest = Buffer.from('0000000804d2162f', 'hex')
export const gssRequest = Buffer.from('0000000804d21630', 'hex')

export interface Certified {
  readonly keys: CryptoKeyPair
  readonly grant: string
  /** PEM. */
  readonly cert: string
  readonly key: string
}

export async function thumbprintOf({ publicKey }: CryptoKeyPair): Promise<Holder> {
  return jwkThumbprint((await crypto.subtle.exportKey('jwk', publicKey)) as EcJwk) as Holder
}

/** PEM of a certificate that carries whatever the test says. */
export async function certificateOf(keys: CryptoKeyPair, grant: string) {
  const der = await issueGrantCertificate(needs, keys, grant, Date.now() + 600_000)
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  return { cert: new X509Certificate(der).toString(), key }
}

export async function certify(
  world: Pick<World, 'lea'> & { readonly proxy: Reached },
  { uses = 1, name = 'pg-1', person = world.lea, ask = {} }: Certifying = {},
): Promise<Certified> {
  const keys = await newKeys()
  const certificate = { key: await thumbprintOf(keys), uses }
  const grant = await grantFor(world, person, { ...askFor(nameOf(world.proxy), name), certificate, ...ask })
  return { keys, grant, ...(await certificateOf(keys, grant)) }
}

interface Certifying {
  readonly uses?: number
  readonly name?: string
  readonly person?: Person
  readonly ask?: Partial<SessionAsk>
}

export interface Said {
  readonly socket: Socket | TLSSocket
  readonly said: () => string
  /** Waits until it has said that; fails where it ends before. */
  until(holds: (said: string) => boolean): Promise<string>
  /** All that it said until it closed. */
  readonly closed: Promise<string>
}

export function listenTo(socket: Socket): Said {
  let said = ''
  const onData = (piece: Buffer) => {
    said += piece.toString('latin1')
  }
  socket.on('data', onData).on('error', () => undefined)
  atEnd(() => socket.destroy())
  const closed = new Promise<string>((done) => socket.once('close', () => done(said)))
  const until = async (holds: (said: string) => boolean) => {
    for (const deadline = Date.now() + 10_000; !holds(said); ) {
      if (Date.now() > deadline || socket.destroyed) throw new Error(`it said ${JSON.stringify(said.slice(0, 500))}`)
      await new Promise((next) => setTimeout(next, 2))
    }
    return said
  }
  return { socket, said: () => said, until, closed }
}

export async function dialPlain({ port }: Pick<Reachable, 'port'>): Promise<Socket> {
  const socket = dialTcp({ port, host: '127.0.0.1', noDelay: true })
  atEnd(() => socket.destroy())
  await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail))
  return socket
}

/** The next bytes, which the socket then has no more of. */
export const nextBytes = (socket: Socket): Promise<Buffer> =>
  new Promise((done, fail) => {
    socket.once('data', (piece: Buffer) => {
      socket.pause()
      done(piece)
    })
    socket.once('close', () => fail(new Error('closed')))
    socket.resume()
  })

interface Dialling {
  readonly certified?: Pick<Certified, 'cert' | 'key'> | undefined
  readonly name?: string
  /** Without SSLRequest. */
  readonly direct?: boolean
  readonly tls?: ConnectionOptions
}

/** TLS as a Postgres client begins it. Rejects with the handshake's error. */
export async function dialPostgres(
  proxy: Reachable,
  { certified, name = 'pg-1.localhost', direct = false, tls = {} }: Dialling = {},
): Promise<TLSSocket> {
  const raw = await dialPlain(proxy)
  if (!direct) {
    raw.write(sslRequest)
    const answer = String(await nextBytes(raw))
    if (answer !== 'S') throw new Error(`SSLRequest was answered ${JSON.stringify(answer)}`)
  }
  const shown = certified && { cert: certified.cert, key: certified.key }
  const alpn = direct ? { ALPNProtocols: ['postgresql'] } : {}
  const socket = connect({ socket: raw, ca: proxy.ca, servername: name, ...alpn, ...shown, ...tls })
  atEnd(() => socket.destroy())
  await new Promise<void>((done, fail) => {
    socket.once('secureConnect', done).once('error', fail)
    socket.once('close', () => fail(new Error('closed')))
  })
  return socket
}

/** Dials, says its first message, and hears what comes. */
export async function startDirect(
  proxy: Reachable,
  dialling: Dialling = {},
  parameters: Readonly<Record<string, string>> = { user: 'reader', database: 'orders' },
): Promise<Said> {
  const said = listenTo(await dialPostgres(proxy, dialling))
  said.socket.write(startup(parameters))
  return said
}

export const isReady = (said: string): boolean => said.endsWith('Z\0\0\0\x05I')

/** Whether a server answers. */
export async function isOpenedBy(proxy: Reachable, dialling: Dialling): Promise<boolean> {
  const { until, closed } = await startDirect(proxy, dialling)
  return Promise.race([until(isReady).then(() => true), closed.then((said) => isReady(said))]).catch(() => false)
}

/** Files as libpq takes them, in a folder that goes with the test. */
export function filesOf({ ca }: Reachable, { cert, key }: Pick<Certified, 'cert' | 'key'>) {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const write = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  return { sslcert: write('cert.pem', cert), sslkey: write('key.pem', key), sslrootcert: write('ca.pem', ca) }
}

export interface Psql {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<number | null>
}

/** The real one, with nothing beside it. */
export function psqlTo(
  { port }: Reachable,
  parts: Readonly<Record<string, string>>,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Psql {
  const all = {
    host: 'pg-1.localhost',
    hostaddr: '127.0.0.1',
    port: String(port),
    user: 'reader',
    dbname: 'orders',
    sslmode: 'verify-full',
    ...parts,
  }
  const where = Object.entries(all).map(([name, text]) => `${name}=${text}`)
  const child = spawn('psql', ['-XAtq', where.join(' '), ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C', ...env },
    stdio: 'pipe',
  })
  atEnd(() => child.kill('SIGKILL'))
  child.stdin.end()
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  return { child, stdout, stderr, ended: new Promise((done) => child.once('close', (code) => done(code))) }
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}
