/** Static routes of a proxy under test, the services behind them, and clients that write a hello as they like. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, type createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { StaticRoute } from '../../../proxy/routes.ts'
import { issue, newCa } from '../../cli/certificates.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, type Proxy as Started, startProxy } from '../proxy.ts'

type Options = Omit<Parameters<typeof startProxy>[0], 'edge' | 'routes'>

export const routeOf = (route: Partial<StaticRoute>): StaticRoute => ({
  name: 'a',
  sni: ['a.test'],
  noSni: false,
  alpn: undefined,
  tls: 'passthrough',
  clientCertificate: route.clientCa !== undefined,
  backends: [],
  balance: 'first',
  health: undefined,
  sendProxy: false,
  certificate: undefined,
  clientCa: undefined,
  ...route,
})

export const startRoutes = (routes: readonly Partial<StaticRoute>[], options: Options = {}): Promise<Started> =>
  startProxy({
    edge: 'http://localhost:1',
    ...options,
    // What a test leaves open is not waited for.
    limits: { drainMs: 50, ...options.limits },
    routes: routes.map(routeOf),
  })

/** The one line about a connection's end. */
export const endsOf = ({ log }: Started) =>
  log.filter(({ message, backend }) => message === 'connection ended' && backend !== undefined)

export interface TlsService {
  readonly uri: string
  readonly ca: string
}

/** A real TLS server that greets with its own name and what the client has asked for, and echoes. */
export async function startTlsService(name: string, options: TlsOptions = {}): Promise<TlsService> {
  const ca = await newCa(`CA of ${name}`)
  const own = await issue(name, { by: ca, names: ['a.test', '*.a.test', 'b.test'] })
  const server = createTlsServer({ key: own.key, cert: own.pem, ...options }, (socket) => {
    socket.on('error', () => undefined)
    socket.write(`${name} ${socket.servername} ${socket.alpnProtocol}\n`)
    socket.pipe(socket)
  })
  server.on('tlsClientError', () => undefined)
  const uri = await listening(server)
  return { uri, ca: ca.pem }
}

export async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  atEnd(() => {
    for (const socket of open) socket.destroy()
    return new Promise((done) => server.close(done))
  })
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

/** Where connecting hangs: a process that listens and accepts nothing, whose queue is full. */
export async function startHanging(): Promise<string> {
  const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('node:fs').writeSync(1, String(this.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => child.kill('SIGKILL'))
  const port = await new Promise<number>((done) => child.stdout.once('data', (text: Buffer) => done(Number(text))))
  for (let waiting = 0; waiting < 8; waiting++) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    atEnd(() => socket.destroy())
  }
  await sleep(100)
  return `127.0.0.1:${port}`
}

/** PEM files of a test, in a folder that ends with it. */
export function filesOf<Name extends string>(
  contents: { readonly [name in Name]: string },
): { [name in Name]: string } {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const paths = Object.entries<string>(contents).map(([name, content]) => {
    const path = join(folder, `${name}.pem`)
    writeFileSync(path, content)
    return [name, path]
  })
  return Object.fromEntries(paths)
}

export interface Client {
  readonly socket: Socket
  /** All that came, latin1. */
  readonly said: () => string
  readonly ended: () => boolean
  /** Why it closed: an error's code, or undefined. */
  readonly closed: Promise<string | undefined>
}

/** Without TLS: the test writes the bytes. */
export async function connectTo({ port }: { readonly port: number }): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  let [said, ended] = ['', false]
  let code: string | undefined
  socket.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  socket.on('end', () => {
    ended = true
  })
  socket.on('error', (error: { code?: string }) => {
    code = error.code
  })
  const closed = new Promise<string | undefined>((done) => socket.once('close', () => done(code)))
  atEnd(() => socket.destroy())
  await new Promise<void>((done) => socket.once('connect', done))
  return { socket, said: () => said, ended: () => ended, closed }
}
