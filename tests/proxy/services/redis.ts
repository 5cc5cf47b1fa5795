/** A real Redis of the test's own on loopback, and its own client. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newCa, newLeaf } from '../../cli/certificates.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { run } from '../front/front.ts'
import { atEnd, opens, type Reachable } from '../proxy.ts'
import { type Certified, filesOf } from '../sessions/certificate.ts'

export interface Redis {
  readonly uri: string
  /** PEM, of what has issued its certificate. */
  readonly ca: string | undefined
  /** Ends it; what a test starts within a hook ends there. */
  stop(): Promise<void>
}

/** Debian's redis-tools has the server too, under the name of one of them: it looks at what it was started as. */
export async function startRedis({ tls = false } = {}): Promise<Redis> {
  const [folder, port] = [newFolder(), await freePort()]
  const ca = tls ? await newCa() : undefined
  const ports = ca
    ? ['--port', '0', '--tls-port', String(port), ...(await tlsArgs(folder, ca))]
    : ['--port', String(port)]
  const args = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...ports]
  const child = spawn('redis-check-rdb', args, { argv0: 'redis-server', stdio: 'ignore' })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
    remove(folder)
  }
  if (!(await opens(port, () => child.exitCode !== null))) {
    await stop()
    throw new Error(`Redis ended with ${child.exitCode}`)
  }
  return { uri: `127.0.0.1:${port}`, ca: ca?.pem, stop }
}

async function tlsArgs(folder: string, ca: Awaited<ReturnType<typeof newCa>>): Promise<string[]> {
  const leaf = await newLeaf(ca, { names: ['redis.internal'] })
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const files = { cert: write('cert.pem', leaf.pem), key: write('key.pem', leaf.key), ca: write('ca.pem', ca.pem) }
  return ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-ca-cert-file', files.ca].concat([
    '--tls-auth-clients',
    'no',
  ])
}

/** The real one, with nothing beside it. */
export function redisCli(proxy: Reachable, certified: Certified, ...words: readonly string[]) {
  const { sslcert, sslkey, sslrootcert } = filesOf(proxy, certified)
  const shown = ['--cert', sslcert, '--key', sslkey, '--cacert', sslrootcert]
  const to = ['-h', '127.0.0.1', '-p', String(proxy.port), '--tls', '--sni', 'redis-1.localhost']
  return run('redis-cli', [...to, ...shown, ...words])
}

/** Ended with the test. */
export async function redisOfTest(options?: Parameters<typeof startRedis>[0]): Promise<Redis> {
  const redis = await startRedis(options)
  atEnd(redis.stop)
  return redis
}
