/** The very command with which a client reaches a resource by its certificate, where that client is none of Postgres. */
import type { DbProtocol } from '../core/access/db.ts'
import type { Reached } from './proxy-name.ts'
import { quoted } from './quoted.ts'

export interface Client {
  readonly at: Reached
  /** Certificate and key. */
  readonly file: string
}

export interface ServiceCommand {
  readonly command: string
  /** How to put to it what speaks no TLS by itself. */
  readonly more: readonly string[]
}

const inShell = (words: readonly string[]): string => words.map(quoted).join(' ')

const trusting = (flag: string, { authority }: Reached) => (authority === undefined ? [] : [flag, authority])

function redis({ at, file }: Client): ServiceCommand {
  const tls = ['--tls', '--sni', at.name, ...trusting('--cacert', at), '--cert', file, '--key', file]
  const command = inShell(['redis-cli', '-h', at.address, '-p', String(at.port), ...tls])
  return { command, more: ['redis-cli looks at who issued the certificate of the proxy, and not at its name.'] }
}

/** The database is in the URL, so its name is the one that was approved. */
function mongodb({ at, file }: Client, database: string): ServiceCommand {
  const query = new URLSearchParams({ tls: 'true', directConnection: 'true', tlsCertificateKeyFile: file })
  if (at.authority !== undefined) query.set('tlsCAFile', at.authority)
  const url = `mongodb://${at.name}:${at.port}/${encodeURIComponent(database)}?${query}`
  const more = at.isHere ? [`${at.name} must resolve to this machine.`] : []
  return { command: inShell(['mongosh', url]), more }
}

/** Standard input and output become the service's bytes. */
export function throughOpenssl({ at, file }: Client, alpn: string): string {
  const verified = ['-verify_return_error', '-verify_hostname', at.name, ...trusting('-CAfile', at)]
  const shown = ['-cert', file, '-key', file, '-servername', at.name, '-alpn', alpn]
  // An IPv6 address stands in brackets there.
  const host = at.address.includes(':') ? `[${at.address}]` : at.address
  return inShell(['openssl', 's_client', '-quiet', ...verified, ...shown, '-connect', `${host}:${at.port}`])
}

/** For a client that dials a port of this machine. */
export const listeningWith = (port: number, command: string): string =>
  inShell(['ncat', '--listen', '127.0.0.1', String(port), '--sh-exec', command])

function mysql(client: Client, database: string, user: string): ServiceCommand {
  const command = throughOpenssl(client, 'sallyport-mysql')
  const connect = inShell(['mariadb', '--host=127.0.0.1', '--port=13306', `--user=${user}`, database])
  return { command, more: [`${listeningWith(13306, command)} &`, connect] }
}

/** `protocol`: none of Postgres's. */
export function serviceCommand(
  protocol: Exclude<DbProtocol, 'postgres'>,
  client: Client,
  { user, database }: { readonly user: string; readonly database: string },
): ServiceCommand {
  if (protocol === 'redis') return redis(client)
  return protocol === 'mongodb' ? mongodb(client, database) : mysql(client, database, user)
}
