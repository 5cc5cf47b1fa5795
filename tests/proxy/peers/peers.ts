/** HAProxy and nginx as Debian ships them, each set to send `a.test` to one backend and every other name to another. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, opens } from '../proxy.ts'

const haproxy = '/usr/sbin/haproxy'
const nginx = '/usr/sbin/nginx'
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** What stops this machine from running them. */
export function missingPeers(): string | undefined {
  const missing = [haproxy, nginx, streamModule].filter((file) => !existsSync(file))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}

export interface Backends {
  /** `HOST:PORT`. */
  readonly a: string
  readonly d: string
}

export interface Peer {
  readonly name: string
  readonly port: number
}

export const versions = () => ({
  haproxy: /version ([\d.]+)/.exec(execFileSync(haproxy, ['-v']).toString())?.[1] ?? '?',
  nginx: /nginx\/([\d.]+)/.exec(execFileSync('/bin/sh', ['-c', `${nginx} -v 2>&1`]).toString())?.[1] ?? '?',
})

export async function startHaproxy({ a, d }: Backends, raised: boolean): Promise<Peer> {
  const port = await freePort()
  const folder = ownFolder()
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 200
  ${raised ? 'tune.bufsize 65536' : ''}
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend port
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 1s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend a if { req.ssl_sni -i a.test }
  default_backend d
backend a
  server one ${a}
backend d
  server one ${d}
`,
  )
  return started('haproxy', port, spawn(haproxy, ['-db', '-f', file], { stdio: 'ignore' }))
}

export async function startNginx({ a, d }: Backends, raised: boolean): Promise<Peer> {
  const port = await freePort()
  const folder = ownFolder()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `load_module ${streamModule};
daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'error.log')};
events { worker_connections 200; }
stream {
  map $ssl_preread_server_name $to { a.test ${a}; default ${d}; }
  server {
    listen 127.0.0.1:${port};
    ssl_preread on;
    preread_timeout 2s;
    ${raised ? 'preread_buffer_size 64k;' : ''}
    proxy_pass $to;
  }
}
`,
  )
  const args = ['-p', folder, '-c', file, '-e', join(folder, 'error.log')]
  return started('nginx', port, spawn(nginx, args, { stdio: 'ignore' }))
}

function ownFolder(): string {
  const folder = newFolder()
  atEnd(() => remove(folder))
  return folder
}

async function started(name: string, port: number, child: ChildProcess): Promise<Peer> {
  atEnd(() => ended(child))
  if (!(await opens(port, () => child.exitCode !== null))) throw new Error(`${name} has ended`)
  return { name, port }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((done) => child.once('exit', done))
  // Of nginx the master ends its worker.
  child.kill('SIGTERM')
  await exited
}
