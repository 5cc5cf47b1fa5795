/** A repository behind git's own server over HTTP (`git http-backend`) with TLS, and git as its client. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import process from 'node:process'
import { issue, newCa } from '../../cli/certificates.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { type Ran, run } from '../front/front.ts'
import { atEnd } from '../proxy.ts'
import { filesOf, listening } from '../routes/routes.ts'
import { sha } from '../sessions/kinds.ts'

export const gitName = 'git.test'

export interface Git {
  readonly uri: string
  /** Of the file in the repository. */
  readonly sha: string
  /** Clones by `url` and answers the SHA-256 of the file; `proxy`: as git takes it; `authority`: the file of what vouches for it. */
  clone(proxy: string, url: string, authority?: string): Promise<Ran & { readonly sha: string }>
}

/** Git asks without its word first otherwise. */
const atOnce = ['-c', 'http.proxyAuthMethod=basic']

const settings = { GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
const envOf = (home: string) => ({ PATH: process.env['PATH'] ?? '', HOME: home, ...settings })

export async function startGit(): Promise<Git> {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [env, work] = [envOf(folder), join(folder, 'work')]
  const content = randomBytes(500_000)
  const git = (...args: readonly string[]) => {
    const { status, stderr } = spawnSync('git', args, { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}\n${stderr}`)
  }
  git('init', '--quiet', work)
  writeFileSync(join(work, 'file'), content)
  git('-C', work, 'add', 'file')
  git('-C', work, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '--quiet', '--message=first')
  git('clone', '--quiet', '--bare', work, join(folder, 'repo.git'))
  const ca = await newCa('CA of git')
  const own = await issue(gitName, { by: ca, names: [gitName, 'git'] })
  const server = createServer({ key: own.key, cert: own.pem }, (asked, reply) => serveByCgi(folder, asked, reply))
  // A word opens one connection: it must last from git's first request to its second, however slow the machine.
  server.keepAliveTimeout = 120_000
  const uri = await listening(server)
  const files = filesOf({ ca: ca.pem })
  let clones = 0
  return {
    uri,
    sha: sha(content),
    clone: async (proxy, url, authority) => {
      const into = join(folder, `clone-${clones++}`)
      const trusting = ['-c', `http.sslCAInfo=${files.ca}`, '-c', `http.proxy=${proxy}`]
      if (authority !== undefined) trusting.push('-c', `http.proxySSLCAInfo=${authority}`, ...atOnce)
      const ran = await run('git', [...trusting, 'clone', '--quiet', url, into], '', { env })
      return { ...ran, sha: ran.code === 0 ? sha(readFileSync(join(into, 'file'))) : '' }
    },
  }
}

/** RFC 3875, as far as git needs it. */
function serveByCgi(folder: string, asked: IncomingMessage, reply: ServerResponse): void {
  const [path = '', query = ''] = (asked.url ?? '').split('?')
  const env = {
    ...envOf(folder),
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: asked.method,
    PATH_INFO: path,
    QUERY_STRING: query,
    CONTENT_TYPE: asked.headers['content-type'],
    HTTP_CONTENT_ENCODING: asked.headers['content-encoding'],
    GIT_PROTOCOL: String(asked.headers['git-protocol'] ?? ''),
  }
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  child.stdin.on('error', () => undefined)
  child.once('close', () => {
    const said = Buffer.concat(parts)
    const end = said.indexOf('\r\n\r\n')
    const fields = said.toString('latin1', 0, end).split('\r\n')
    const named = fields.map((line) => line.split(/: */, 2) as [string, string])
    const status = Number(named.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200)
    reply.writeHead(status, named.filter(([name]) => name !== 'Status').flat())
    reply.end(said.subarray(end + 4))
  })
  asked.pipe(child.stdin)
}
