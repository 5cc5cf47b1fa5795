/**
 * kubectl is the real one. What it asks is a stub: of a Kubernetes API server there are TLS, HTTP/2, a bearer token, discovery, and pods that
 * can be listed and watched; nothing runs anywhere.
 */
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { issue, newCa } from '../../cli/certificates.ts'
import { type Command, newer } from '../../house/newer-debian.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { run } from '../front/front.ts'
import { atEnd } from '../proxy.ts'
import { filesOf, listening } from '../routes/routes.ts'
import { type Started, start } from './started.ts'

export const clusterName = 'k8s.test'
const token = 'a-token-of-the-cluster'

export interface Kubernetes {
  readonly uri: string
  /** What it was asked: method, path, and HTTP version. */
  readonly asked: readonly string[]
  /** Watches that are open now. */
  readonly watches: ReadonlySet<unknown>
  /** Tells every watch of a pod that has come. */
  comes(pod: string): void
  kubectl(port: number, ...args: readonly string[]): ReturnType<typeof run>
  /** One that goes on. */
  kubectlStarted(port: number, ...args: readonly string[]): Started
}

const pod = (name: string, revision: number) => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: `${revision}` },
  spec: { containers: [{ name: 'main', image: 'none' }] },
  status: { phase: 'Running' },
})

const resources = [
  { name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list', 'watch'] },
]
const discovery: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources },
}

/** `pods`: those that there are from the beginning. */
export async function startKubernetes(pods: readonly string[]): Promise<Kubernetes> {
  const ca = await newCa('CA of Kubernetes')
  const own = await issue(clusterName, { by: ca, names: [clusterName] })
  const [asked, watches] = [[] as string[], new Set<Http2ServerResponse>()]
  const server = createSecureServer({ key: own.key, cert: own.pem, allowHTTP1: true }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'https://x')
    asked.push(`${request.method} ${pathname} ${request.httpVersion}`)
    if (request.headers.authorization !== `Bearer ${token}`) return void answer(response, 401, { kind: 'Status' })
    const isOfPods = pathname === '/api/v1/namespaces/default/pods'
    if (isOfPods && searchParams.get('watch') === 'true') return watch(request, response, watches)
    const items = pods.map((name, at) => pod(name, at + 1))
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: `${pods.length}` }, items }
    const body = isOfPods ? list : discovery[pathname]
    answer(response, body ? 200 : 404, body ?? { kind: 'Status', status: 'Failure', code: 404 })
  })
  const uri = await listening(server)
  let revision = pods.length
  const comes = (name: string) => {
    const event = JSON.stringify({ type: 'ADDED', object: pod(name, ++revision) })
    for (const watching of watches) watching.write(`${event}\n`)
  }
  const { program, args: before } = newer('kubectl') as Command
  const home = newFolder()
  atEnd(() => remove(home))
  const files = filesOf({ ca: ca.pem })
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: '/dev/null' }
  const argsTo = (port: number) => [
    ...before,
    ...[`--server=https://127.0.0.1:${port}`, `--tls-server-name=${clusterName}`],
    ...[`--certificate-authority=${files.ca}`, `--token=${token}`],
  ]
  return {
    ...{ uri, asked, watches, comes },
    kubectl: (port, ...args) => run(program, [...argsTo(port), ...args], '', { env }),
    kubectlStarted: (port, ...args) => start(program, [...argsTo(port), ...args], env),
  }
}

function answer(response: Http2ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function watch(request: Http2ServerRequest, response: Http2ServerResponse, watches: Set<Http2ServerResponse>): void {
  watches.add(response)
  request.once('close', () => watches.delete(response))
  response.writeHead(200, { 'content-type': 'application/json' })
  // Its head, so that the client knows that it is watching.
  response.write('')
}
