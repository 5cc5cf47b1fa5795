/** `sallyport proxy http` with a client in front and services behind it. */
import { spawn } from 'node:child_process'
import type { AddressInfo, Server } from 'node:net'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import type { SessionProxy } from './db/session-proxy.ts'
import { signedIn } from './tls-edge.ts'

/** On loopback, until the test is over. Answers its port. */
export async function listening(server: Server & { closeAllConnections?(): void }): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections?.()
  })
  return (server.address() as AddressInfo).port
}

export async function startProxyHttp(proxy: SessionProxy, ...args: string[]) {
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', 'http', '--no-browser', ...args])
  const [, port = ''] = await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m)
  return { running, port: Number(port), at: `http://127.0.0.1:${port}` }
}

/** `status`: of the answer, and of the CONNECT. */
export async function curl(at: string, ...args: string[]) {
  const env = { PATH: process.env['PATH'] ?? '', HTTPS_PROXY: at, http_proxy: at }
  const child = spawn('curl', ['-sS', '-w', '\n%{http_code} %{http_connect}', ...args], { env })
  const [said, told] = await Promise.all([buffer(child.stdout), buffer(child.stderr)])
  const lines = said.toString().split('\n')
  return { body: lines.slice(0, -1).join('\n'), status: lines.at(-1), told: told.toString() }
}
