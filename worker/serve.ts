#!/usr/bin/env node
/** The edge on Node 24, Deno and Bun: `sallyport-edge [serve]`, and what the operator does from a terminal. */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { extname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { deriveKeys, type Keys, parseSecret } from '../core/keys.ts'
import { type Bytes, base64url } from '../core/lib/bytes.ts'
import { offerFirstAdministrator } from '../core/login/first-administrator.ts'
import { hours, type Instant, type Site } from '../core/model.ts'
import { builtInClients } from '../core/oauth/clients.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { claimCluster, purge } from '../storage/cluster.ts'
import { type Migration, openDatabase, type SqliteStore } from '../storage/sqlite.ts'
import { makeApp } from './app.ts'
import { assetUrl } from './asset-names.ts'
import type { AssetStore, Edge } from './edge.ts'
import { processVariables, readKey, readServeSettings, readSite, type ServeSettings } from './env.ts'
import { gathered } from './gathered.ts'
import { memoryLimit } from './limits.ts'
import { nodePasswords } from './node-passwords.ts'
import { nodeSignatures } from './node-signatures.ts'
import { init, linkOf, operator, proxies, recover, registerLocalProxy, type Terminal } from './operator.ts'
import { makePorts } from './ports.ts'
import { pooled } from './random.ts'

const usage = `Usage: sallyport-edge [serve]            serve the edge on this machine
       sallyport-edge init [--url URL]  print a new link for the first administrator;
                                        with --url for a deployed edge, proven by SALLYPORT_KEY
       sallyport-edge recover NAME [--url URL]
                                        when no administrator can sign in any more: print a link by
                                        which NAME gets a new root passkey
       sallyport-edge proxies add NAME --key=X [--url URL]
                                        let a proxy in: "sallyport-proxy identity" shows its key;
                                        prints its proxy.yaml, with what is to be set in it
       sallyport-edge proxies ls | rm NAME

Settings: SALLYPORT_EDGE_PORT (3080), SALLYPORT_HOME (.sallyport), SALLYPORT_PUBLIC_URL (http://localhost:PORT),
          SALLYPORT_RP_ID, SALLYPORT_CLUSTER, SALLYPORT_KEY, SALLYPORT_LOGIN_LIMIT (10),
          SALLYPORT_ADDRESS_HEADER (behind a reverse proxy that sets it, such as x-forwarded-for)
`

/** Beside the bundle in dist/, or in the sources, where there are no assets. */
const isBuilt = import.meta.url.endsWith('.js')
const folderOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const assetsFolder = folderOf('../assets/')
const migrationsFolder = folderOf(isBuilt ? '../migrations/' : '../storage/migrations/')

/** Audit rows about refusals, for an address. */
const noiseAMinute = 30
/** How long requests may go on after the signal to stop. */
const graceMs = 5000
const now = (): Instant => Date.now()
const random = pooled((length) => crypto.getRandomValues(new Uint8Array(length)))
const print = (line: string) => process.stdout.write(`${line}\n`)
const { log, flush } = gathered((text) => process.stderr.write(text), setImmediate)
process.once('exit', flush)

interface Opened {
  readonly settings: ServeSettings
  readonly site: Site
  readonly keys: Keys
  readonly store: SqliteStore
}

async function open(): Promise<Opened> {
  const variables = processVariables()
  const settings = readServeSettings(variables)
  const site = readSite(variables, `http://localhost:${settings.port}`)
  const given = readKey(variables)
  const [keyFile, database] = prepareHome(settings.home)
  const keys = deriveKeys(given ?? readKeyFile(keyFile, database))
  const store = openDatabase(database, readMigrations())
  const ownership = await claimCluster(store, { name: site.cluster, keyCheck: keys.check }, now())
  if (ownership === 'ours') return { settings, site, keys, store }
  store.close()
  const hint = `use the ones that ${settings.home} was made with, or set SALLYPORT_HOME to another folder`
  const what =
    ownership === 'another key' ? 'SALLYPORT_KEY is not the key' : `SALLYPORT_CLUSTER (${site.cluster}) is not the name`
  throw new SetupProblem(`${what} of the database in ${settings.home}`, hint)
}

/** The key lies apart from the data, so that a backup of the data does not hold it. */
function prepareHome(home: string): [keyFile: string, database: string] {
  const data = join(home, 'data')
  const probe = join(data, `.write-test-${process.pid}`)
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (error) {
    throw new SetupProblem(
      `the data folder ${home} cannot be written (${(error as Error).message})`,
      'make it writable, or set SALLYPORT_HOME to another folder',
      { cause: error },
    )
  }
  return [join(home, 'key'), join(data, 'edge.db')]
}

/** Makes the key together with a new database. Of several processes that start at once, one makes it and all read it. */
function readKeyFile(file: string, database: string): Bytes {
  const isNew = !existsSync(file) && !(existsSync(database) && statSync(database).size > 0)
  if (isNew) {
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, base64url(random(32)), { mode: 0o600, flush: true })
    try {
      // A link appears whole or not at all, and never replaces a key.
      linkSync(draft, file)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    } finally {
      rmSync(draft)
    }
  }
  if (!existsSync(file)) {
    throw new SetupProblem(
      `SALLYPORT_KEY is not set, and its file ${file} is missing`,
      'put the file back from where it was kept: without it this database cannot be used',
    )
  }
  const secret = parseSecret(readFileSync(file, 'utf8'))
  if (!secret) throw new SetupProblem(`${file} does not hold a key`, 'put the file back from where it was kept')
  return secret
}

const readMigrations = (): Migration[] =>
  readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(migrationsFolder, name), 'utf8') }))

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** A few small files, read once: what is served cannot be anything else on the disk. */
function readAssets(): AssetStore {
  if (!isBuilt) throw new SetupProblem('the pages are not built', 'run "npm run build", then "node dist/edge/serve.js"')
  const names = readdirSync(assetsFolder).filter((name) => contentTypes[extname(name)] !== undefined)
  const files = new Map(names.map((name) => [`/assets/${name}`, readFileSync(join(assetsFolder, name))]))
  return {
    url: assetUrl,
    fetch: async (path) => {
      const file = files.get(path)
      const headers = { 'Content-Type': contentTypes[extname(path)] ?? '' }
      return file && new Response(new Uint8Array(file), { headers })
    },
  }
}

function makeEdge({ settings, site, keys, store }: Opened): Edge {
  return {
    site,
    ports: makePorts({ now, random, keys, store, signatures: nodeSignatures, passwords: nodePasswords(random) }),
    clients: builtInClients,
    assets: readAssets(),
    attempts: memoryLimit(settings.failedLoginsAMinute, now),
    programs: memoryLimit(settings.failedLoginsAMinute, now),
    deviceCodes: memoryLimit(settings.failedLoginsAMinute, now),
    userCodes: memoryLimit(settings.failedLoginsAMinute, now),
    noise: memoryLimit(noiseAMinute, now),
    log,
    lengthsHold: true,
    whereOf: (c) => {
      const { incoming } = c.env as { incoming: IncomingMessage }
      const forwarded = settings.addressHeader && c.req.header(settings.addressHeader)?.split(',').at(-1)?.trim()
      return { address: forwarded || (incoming.socket.remoteAddress ?? 'unknown'), place: '' }
    },
    ready: async () => undefined,
  }
}

interface Listener {
  readonly server: Server
  /** Ends, from now on, every connection as soon as no request is in flight on it. */
  readonly endIdle: () => void
}

/** Node's closeIdleConnections leaves connections open that never sent anything, as browsers keep some in store. */
function watchIdle(server: Server): () => void {
  const requests = new Map<Socket, number>()
  let ending = false
  const endIfIdle = (socket: Socket) => {
    if (ending && requests.get(socket) === 0) socket.destroy()
  }
  server.on('connection', (socket) => {
    requests.set(socket, 0)
    socket.once('close', () => requests.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1)
    response.once('close', () => {
      requests.set(socket, (requests.get(socket) ?? 1) - 1)
      endIfIdle(socket)
    })
  })
  return () => {
    ending = true
    for (const socket of requests.keys()) endIfIdle(socket)
  }
}

/** Loopback only, both families: "localhost" means either. A machine without IPv6 has the one. */
async function listen(fetch: Parameters<typeof getRequestListener>[0], port: number): Promise<Listener[]> {
  const listeners: Listener[] = []
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, getRequestListener(fetch))
    const endIdle = watchIdle(server)
    const code = await new Promise<string | undefined>((done) => {
      server.once('error', (error: { code?: string }) => done(error.code ?? 'unknown error'))
      server.listen(port, host, () => done(undefined))
    })
    if (code === undefined) listeners.push({ server, endIdle })
    else if (host === '127.0.0.1' || code === 'EADDRINUSE') {
      const what = code === 'EADDRINUSE' ? `port ${port} is in use` : `port ${port} cannot be opened (${code})`
      throw new SetupProblem(what, 'stop what uses it, or set SALLYPORT_EDGE_PORT to another port')
    }
  }
  return listeners
}

async function serve(): Promise<void> {
  // A launcher that is killed must not leave its edge behind, not even one that is only starting.
  let stop = (): void => process.exit(0)
  if (process.send && !process.connected) stop()
  process.on('disconnect', () => stop())
  const opened = await open()
  const { settings, site, store } = opened
  const edge = makeEdge(opened)
  const listeners = await listen(makeApp(edge).fetch, settings.port)
  stop = stopper(listeners, store)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  if (settings.localProxy !== undefined) await registerLocalProxy(edge.ports, settings.localProxy, now())
  // Only now that the port is ours: a second start that fails must not kill the link of the first.
  const offer = await offerFirstAdministrator(edge.ports, operator)
  // In one write, so that a program which waits for the first line has the second too.
  print(`edge ready ${site.origin}${offer ? `\nfirst administrator: ${linkOf(site.origin, offer.secret)}` : ''}`)
  const tidy = () =>
    purge(store, now()).catch((error: Error) => log({ level: 'error', message: `Cannot purge: ${error.message}` }))
  setInterval(tidy, hours(1)).unref()
  await tidy()
}

function stopper(listeners: readonly Listener[], store: SqliteStore): () => void {
  let stopping = false
  return () => {
    if (stopping) return
    stopping = true
    const closed = listeners.map(({ server }) => new Promise<void>((done) => server.close(() => done())))
    for (const { endIdle } of listeners) endIdle()
    const grace = setTimeout(() => {
      for (const { server } of listeners) server.closeAllConnections()
    }, graceMs)
    void Promise.all(closed).then(() => {
      clearTimeout(grace)
      store.close()
      process.exit(0)
    })
  }
}

const terminal: Terminal = {
  now,
  random,
  print,
  open: async () => {
    const { site, keys, store } = await open()
    return { site, ports: makePorts({ now, random, keys, store }), close: store.close }
  },
}

interface Command {
  readonly help: boolean
  readonly run: () => Promise<void>
}

function parseCommand(): Command | undefined {
  const options = { url: { type: 'string' }, key: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const run = commandOf(positionals, values)
    return run && { help: values.help ?? false, run }
  } catch {
    return undefined
  }
}

function commandOf(
  [verb = 'serve', act, name, ...others]: readonly string[],
  { url, key }: { url?: string; key?: string },
): (() => Promise<void>) | undefined {
  if (others.length > 0) return undefined
  if (verb === 'serve') return act === undefined && url === undefined && key === undefined ? serve : undefined
  if (verb === 'init') return act === undefined && key === undefined ? () => init(terminal, url) : undefined
  if (verb === 'recover') {
    const isRight = act !== undefined && name === undefined && key === undefined
    return isRight ? () => recover(terminal, { name: act, url }) : undefined
  }
  const isRight =
    act === 'ls' ? name === undefined : (act === 'rm' && name !== undefined) || (act === 'add' && key !== undefined)
  if (verb !== 'proxies' || !isRight || (act !== 'ls' && act !== 'rm' && act !== 'add')) return undefined
  return () => proxies(terminal, { act, name: name ?? '', key: key ?? '', url })
}

async function main(): Promise<void> {
  const command = parseCommand()
  if (!command) {
    process.stderr.write(usage)
    process.exit(2)
  }
  if (command.help) process.stdout.write(usage)
  else await command.run()
}

main().catch((error: Error) => {
  const help = error instanceof SetupProblem ? `hint: ${error.hint}` : error.stack
  process.stderr.write(`sallyport: error: Cannot start: ${error.message}\n${help}\n`)
  process.exit(1)
})
