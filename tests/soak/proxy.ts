/** A real proxy whose static routes lead to a service of this process. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, Server } from '../bench/servers.ts'
import { message, records, sni } from '../core/hello-writer.ts'

const main = join(import.meta.dirname, '../../proxy/main.ts')
const patienceMs = 120_000

/** What a client says first, and the proxy passes on like all that follows. */
export const hello = records(message(sni('a.test')))

export interface SoakedProxy {
  readonly port: number
  /** Lines of its log that hold this. */
  lines(text: string): readonly string[]
  /** Bytes of the machine's memory. */
  resident(): number
  /** With one more route than before, or one less; answers when it is taken. */
  reload(): Promise<void>
}

export async function withProxy<T>(
  serve: (socket: Socket) => void,
  work: (proxy: SoakedProxy) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-soak-'))
  const open = new Set<Socket>()
  const service = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    open.add(socket.on('error', () => socket.destroy()).once('close', () => open.delete(socket)))
    serve(socket)
  })
  await new Promise<void>((done) => service.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, done))
  const started: { server?: Server } = {}
  try {
    return await work(await start(folder, (service.address() as { port: number }).port, started))
  } finally {
    for (const socket of open) socket.destroy()
    service.close()
    await started.server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function start(folder: string, service: number, started: { server?: Server }): Promise<SoakedProxy> {
  const port = await freePort()
  const [file, log] = [join(folder, 'proxy.yaml'), join(folder, 'proxy.log')]
  let generation = 0
  const write = () => {
    const route = (name: string) => ({
      name,
      sni: [`${name}.test`],
      tls: 'passthrough',
      backends: [`127.0.0.1:${service}`],
    })
    const config = {
      version: 'v1',
      edge: { url: 'http://localhost:1', keys: ['A'.repeat(43)] },
      listen: { hosts: ['127.0.0.1'], port },
      names: ['proxy.test'],
      home: join(folder, 'home'),
      routes: generation % 2 === 0 ? [route('a')] : [route('a'), route('b')],
    }
    writeFileSync(`${file}.new`, JSON.stringify(config))
    renameSync(`${file}.new`, file)
  }
  const lines = (text: string) =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(text))
  write()
  const server = new Server([main, 'start', '--config', file], {}, log)
  started.server = server
  await server.said(/proxy ready/)
  return {
    port,
    lines,
    resident: () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1024,
    reload: async () => {
      generation++
      write()
      process.kill(server.pid, 'SIGHUP')
      await until(() => lines('configuration taken').length >= generation, 'the reload is not taken')
    },
  }
}

/** @throws Error with `what` after two minutes */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !holds(); await sleep(50))
    if (Date.now() > deadline) throw new Error(what)
}
