/** A real Redis of the test's own on loopback, which speaks TLS alone and wants a password, and redis-cli. */
import { issue, newCa } from '../../cli/certificates.ts'
import { freePort } from '../../runtime/launch.ts'
import { type Ran, run, serving } from '../front/front.ts'
import { filesOf } from '../routes/routes.ts'

export const redisName = 'redis.test'
const password = 'correct horse'
/** Debian's package of tools has the server too, which is what it becomes by its name; its service is a package of its own. */
const server = '/usr/bin/redis-check-rdb'
export const redisPrograms = ['redis-cli', server]

export interface Redis {
  readonly uri: string
  /** A command to what listens on that port of this machine. `input`: the last of its arguments. */
  cli(port: number, args: readonly string[], input?: Uint8Array): Promise<Ran>
}

export async function startRedis(): Promise<Redis> {
  const ca = await newCa('CA of Redis')
  const own = await issue(redisName, { by: ca, names: [redisName] })
  const files = filesOf({ ca: ca.pem, cert: own.pem, key: own.key })
  const port = await freePort()
  const tls = ['--tls-port', `${port}`, '--tls-auth-clients', 'no', '--tls-ca-cert-file', files.ca]
  const identity = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--requirepass', password]
  const settings = ['--port', '0', '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
  await serving(port, server, [...settings, ...tls, ...identity], { argv0: 'redis-server' })
  const client = ['-h', '127.0.0.1', '--tls', '--sni', redisName, '--cacert', files.ca, '--raw']
  return {
    uri: `127.0.0.1:${port}`,
    cli: (to, args, input) =>
      run('redis-cli', [...client, '-p', `${to}`, ...(input ? ['-x'] : []), ...args], input, {
        env: { PATH: process.env['PATH'] ?? '', REDISCLI_AUTH: password },
      }),
  }
}
