/** `proxy word`: a person gets a word, and curl opens an app with it, once. From `npm start` on all parts are real. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { run } from '../proxy/front/front.ts'
import { atNewEdge } from './db/at-new-edge.ts'
import { answerIn } from './tls-edge.ts'

const documents = (port: number) => `kind: role
version: v7
metadata: { name: reader }
spec:
  options: { require_session_mfa: true, bearer_grants: true }
  allow: { app_labels: { env: dev }, node_labels: { env: dev }, logins: [ubuntu] }
---
kind: app
version: v3
metadata: { name: wiki, labels: { env: dev } }
spec: { uri: "http://127.0.0.1:${port}" }
---
kind: node
version: v2
metadata: { name: web-1, labels: { env: dev } }
spec: { addr: "127.0.0.1:${port}" }
`

describe('a word for programs that know forward proxies alone', () => {
  let web: Server
  const at = atNewEdge({
    documents: async () => {
      web = createServer((request, response) => void response.end(`hello ${request.headers.host}`))
      await new Promise<void>((done) => web.listen(0, '127.0.0.1', done))
      return documents((web.address() as AddressInfo).port)
    },
    roles: 'reader',
  })
  const { cli, environment } = at
  afterAll(() => void web?.close())

  async function tapped(...args: string[]) {
    const running = cli.start(['proxy', 'word', ...args, '--no-browser'], environment())
    await answerIn(running, at.lea)
    return running.ended
  }

  const curl = (word: string, url: string) =>
    run('curl', [
      ...[
        '-sS',
        '--max-time',
        '20',
        '--proxy',
        `https://localhost:${at.edge.proxyPort}`,
        '--proxy-user',
        `any:${word}`,
      ],
      ...['--proxy-cacert', join(at.edge.home, 'ca.pem'), url],
    ])

  test('standard output is the word alone; it opens the app once; how to use it stands beside', async () => {
    const { code, stdout, stderr } = await tapped('wiki')
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^[\w-]{43}\n$/) })
    expect(stderr).toContain(`--proxy https://localhost:${at.edge.proxyPort} --proxy-user any:WORD http://wiki/`)
    expect(stderr).not.toContain(stdout.trim())
    expect((await curl(stdout.trim(), 'http://wiki/')).stdout).toBe('hello wiki')
    expect((await curl(stdout.trim(), 'http://wiki/')).stdout).toContain('grant_invalid')
  })

  test('in JSON for programs, and for a node', async () => {
    const { code, stdout } = await tapped('node/web-1', '--login=ubuntu', '--format=json')
    expect(code).toBe(0)
    const said = JSON.parse(stdout)
    expect(said).toMatchObject({ resource: 'node/web-1', proxy: `https://localhost:${at.edge.proxyPort}`, uses: 1 })
    expect(Date.parse(said.expires_at)).toBeGreaterThan(Date.now())
    expect((await curl(said.word, 'http://web-1/')).stdout).toBe('hello web-1')
  })

  test.for([
    [['db/orders'], 2, 'sallyport db login orders --bearer'],
    [['wiki', '--login=ubuntu'], 2, 'app/wiki takes no --login'],
    [['nothing'], 3, 'no role of yours reaches app/nothing'],
  ] as const)('%j is refused before anybody is asked', async ([args, code, why]) => {
    const ended = await cli.start(['proxy', 'word', ...args, '--no-browser'], environment()).ended
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(why) })
  })
})
