/** HAProxy and nginx as Debian ships them, each with one thread that works, as ours has. Their defaults otherwise, but for what is said. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, Server } from '../servers.ts'
import type { Certificate, Contender, Ground, Started } from './contender.ts'
import { serverName } from './wire.ts'

export const debianPackages = ['haproxy', 'nginx', 'libnginx-mod-stream', 'openssl']
const haproxy = '/usr/sbin/haproxy'
const nginx = '/usr/sbin/nginx'
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'
const logFile = 'stderr.log'
const patienceMs = 10_000

type Way = 'hello' | 'tls'

/** What is written into its `global` and `defaults`. Splicing that is always done is the best that is known of it in bulk. */
const haproxies = {
  haproxy: { global: [], defaults: [] },
  haproxy_splice_auto: { global: [], defaults: ['option splice-auto'] },
  haproxy_splice: { global: ['tune.pipesize 1048576'], defaults: ['option splice-request', 'option splice-response'] },
  haproxy_large_buffers: { global: ['tune.bufsize 65536'], defaults: [] },
} as const

/** What is written into its `server`. */
const nginxes = { nginx: [], nginx_large_buffers: ['proxy_buffer_size 512k'] } as const

export const haproxyOf = (way: Way, name: keyof typeof haproxies = 'haproxy'): Contender => ({
  name,
  setup: ['nbthread 1', ...haproxies[name].global, ...haproxies[name].defaults].join('; '),
  missing: () => missing(haproxy),
  start: async (ground) => {
    const port = await freePort()
    const file = join(ground.folder, 'haproxy.cfg')
    writeFileSync(file, haproxyConfig(way, name, port, ground))
    return peer(way, port, ground, new Server(['-db', '-f', file], {}, join(ground.folder, logFile), haproxy))
  },
})

export const nginxOf = (way: Way, name: keyof typeof nginxes = 'nginx'): Contender => ({
  name,
  setup: ['worker_processes 1', 'proxy_half_close on', ...nginxes[name]].join('; '),
  missing: () => missing(nginx) ?? missing(streamModule),
  start: async (ground) => {
    const port = await freePort()
    const file = join(ground.folder, 'nginx.conf')
    writeFileSync(file, nginxConfig(way, name, port, ground))
    const args = ['-p', ground.folder, '-c', file, '-e', join(ground.folder, 'error.log')]
    return peer(way, port, ground, new Server(args, {}, join(ground.folder, logFile), nginx))
  },
})

export const versions = () => ({
  haproxy: firstLine(haproxy, '-v'),
  nginx: firstLine('/bin/sh', '-c', `${nginx} -v 2>&1`),
})

const missing = (file: string) => (existsSync(file) ? undefined : `${file} is not installed`)
const firstLine = (program: string, ...args: string[]) =>
  existsSync(program) ? execFileSync(program, args).toString().split('\n', 1)[0] : undefined

async function peer(way: Way, port: number, { certificate, folder }: Ground, server: Server): Promise<Started> {
  await accepting(port).catch(async (error: Error) => {
    await server.stop()
    throw new Error(`${error.message}: ${readFileSync(join(folder, logFile), 'utf8')}`)
  })
  return {
    server,
    reach: async () => (way === 'hello' ? { by: way, port } : { by: way, port, ca: certificate.pem }),
    stop: () => server.stop(),
  }
}

async function accepting(port: number): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(20)) {
    const isOpen = await new Promise<boolean>((done) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => done(true))
      socket.once('error', () => done(false)).once('connect', () => socket.destroy())
    })
    if (isOpen) return
  }
  throw new Error(`nobody listens on port ${port}`)
}

function haproxyConfig(way: Way, name: keyof typeof haproxies, port: number, ground: Ground): string {
  const { backend, certificate } = ground
  const { global, defaults } = haproxies[name]
  const accept = {
    hello: `bind 127.0.0.1:${port}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend plain if { req.ssl_sni -i ${serverName} }`,
    tls: `bind 127.0.0.1:${port} ssl crt ${certificate.both} ssl-min-ver TLSv1.3 alpn sallyport no-tls-tickets
  default_backend plain`,
  }[way]
  return `global
  nbthread 1
  maxconn 4000
  ${global.join('\n  ')}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  ${defaults.join('\n  ')}
frontend port
  ${accept}
backend plain
  server one 127.0.0.1:${backend}
`
}

function nginxConfig(way: Way, name: keyof typeof nginxes, port: number, ground: Ground): string {
  const { folder, backend, certificate } = ground
  const accept = {
    hello: `listen 127.0.0.1:${port} backlog=1024;
    ssl_preread on;
    proxy_pass $to;`,
    tls: `listen 127.0.0.1:${port} ssl backlog=1024;
    ${tlsOf(certificate)}
    proxy_pass plain;`,
  }[way]
  return `load_module ${streamModule};
daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 8192; }
stream {
  upstream plain { server 127.0.0.1:${backend}; }
  map $ssl_preread_server_name $to { ${serverName} plain; }
  server {
    ${accept}
    proxy_half_close on;
    ${nginxes[name].map((line) => `${line};`).join('\n    ')}
  }
}
`
}

const tlsOf = ({ cert, key }: Certificate) => `ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.3;
    ssl_alpn sallyport;
    ssl_session_tickets off;`
