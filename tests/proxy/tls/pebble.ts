/** Let's Encrypt's Pebble, as Debian ships it: a certificate authority that validates over real TLS, with DNS that answers 127.0.0.1 for every name. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import type { AcmeSettings } from '../../../proxy/config.ts'
import { type Issued, newCa, newLeaf } from '../../cli/certificates.ts'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, opens, until } from '../proxy.ts'

const programs = ['/usr/bin/pebble', '/usr/bin/pebble-challtestsrv'] as const

export const missingPebble = (): string | undefined =>
  programs.every((program) => existsSync(program)) ? undefined : 'Debian’s pebble is not installed'

export interface Pebble {
  readonly settings: Pick<AcmeSettings, 'directory' | 'caFile'>
  /** What its certificates lead to, PEM: new with each start. */
  root(): Promise<string>
  said(): string
  stop(): void
}

interface Options {
  /** Where it looks for challenges. */
  readonly tlsPort: number
  /** Seconds that its certificates live. */
  readonly validity?: number
  /** Of a hundred good nonces, how many it refuses. */
  readonly refusedNonces?: number
  readonly port?: number
  /** Of its own TLS: another one, unless it is given. */
  readonly ca?: Issued
}

export async function startPebble({ tlsPort, validity, refusedNonces = 0, port, ca: given }: Options): Promise<Pebble> {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [dns, api, management] = [await freePort(), port ?? (await freePort()), await freePort()]
  const ca = given ?? (await newCa('Pebble’s own TLS'))
  const own = await newLeaf(ca)
  const file = (name: string, content: string) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const pebble = {
    listenAddress: `127.0.0.1:${api}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: file('cert.pem', own.pem),
    privateKey: file('key.pem', own.key),
    httpPort: 1,
    tlsPort,
    ...(validity !== undefined && { certificateValidityPeriod: validity }),
  }
  const config = file('pebble.json', JSON.stringify({ pebble }))
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const names = ['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${await freePort()}`]
  launch(programs[1], [...none, ...names, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''])
  const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: String(refusedNonces), PEBBLE_AUTHZREUSE: '0' }
  const { child, said } = launch(programs[0], ['-config', config, '-strict', '-dnsserver', `127.0.0.1:${dns}`], env)
  for (const one of [api, management]) await until(() => said().includes(`127.0.0.1:${one}`), 20_000)
  await Promise.all([api, management].map((one) => opens(one)))
  return {
    settings: { directory: `https://localhost:${api}/dir`, caFile: file('ca.pem', ca.pem) },
    root: () => fetchText(`https://localhost:${management}/roots/0`, ca.pem),
    said,
    stop: () => void child.kill('SIGKILL'),
  }
}

function launch(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child: ChildProcess = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  atEnd(() => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part) => {
      said += part
    })
  }
  return { child, said: () => said }
}

export const fetchText = (url: string, ca: string): Promise<string> =>
  new Promise((done, fail) => {
    const asking = request(url, { ca, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => done(text))
    })
    asking.on('error', fail).end()
  })
