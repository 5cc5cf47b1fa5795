/** For the operator's own machine: /healthz, /readyz, /metrics on a loopback port. It changes nothing and holds no secret. */
import { createServer } from 'node:http'
import { SetupProblem } from '../core/setup-problem.ts'

export interface Admin {
  /** Undefined: new sessions can begin. */
  readonly whyNotReady: () => string | undefined
  readonly metrics: () => string
}

/** Answers how to stop it. @throws SetupProblem */
export async function serveAdmin(port: number, { whyNotReady, metrics }: Admin): Promise<() => void> {
  const server = createServer({ headersTimeout: 5000, requestTimeout: 5000 }, ({ method, url }, response) => {
    const [status, text] = method !== 'GET' ? [405, ''] : answerTo(url ?? '', whyNotReady, metrics)
    response.writeHead(status, { 'Content-Type': 'text/plain; version=0.0.4', 'Cache-Control': 'no-store' }).end(text)
  })
  await new Promise<void>((done, fail) => {
    server.once('error', (cause: Error & { code?: string }) => {
      const hint = 'stop what uses it, or set SALLYPORT_PROXY_ADMIN_PORT to another port'
      fail(new SetupProblem(`the admin port ${port} cannot be opened (${cause.code})`, hint, { cause }))
    })
    server.listen(port, '127.0.0.1', done)
  })
  return () => {
    server.close()
    server.closeAllConnections()
  }
}

function answerTo(
  url: string,
  whyNotReady: () => string | undefined,
  metrics: () => string,
): readonly [status: number, text: string] {
  if (url === '/healthz') return [200, 'ok\n']
  if (url === '/metrics') return [200, metrics()]
  if (url !== '/readyz') return [404, '']
  const why = whyNotReady()
  return why === undefined ? [200, 'ready\n'] : [503, `not ready: ${why}\n`]
}
