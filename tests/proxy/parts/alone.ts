/** Clients with no command beside them: by a word for forward-proxy clients, by a certificate, and of the API alone. */
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { run } from '../front/front.ts'
import { dial, head } from '../proxy.ts'
import { basicCredential } from '../words/words.ts'
import type { Client } from './clients.ts'
import type { Git } from './git.ts'
import { textAt } from './web.ts'
import type { World } from './world.ts'

/** Lea's, one after the other: each waits to be opened, of which one person has few. */
function wordsOf({ people }: World): (name: string) => Promise<string> {
  let last: Promise<unknown> = Promise.resolve()
  return (name) => {
    const word = last.then(async () => {
      const { code, stdout, stderr } = await people.start('lea', ['proxy', 'word', name, '--no-browser']).ended
      if (code !== 0) throw new Error(`no word: ${stderr}`)
      return stdout.trim()
    })
    last = word.catch(() => undefined)
    return word
  }
}

/** A GET of HTTP/1.1 through CONNECT over HTTP/2. */
async function getByHttp2({ port, authority }: World, word: string, path: string): Promise<string> {
  const ca = readFileSync(authority)
  const socket = connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost', ALPNProtocols: ['h2'] })
  const session = connectHttp2('https://localhost', { createConnection: () => socket })
  const asked = { ':method': 'CONNECT', ':authority': 'wiki:80', 'proxy-authorization': basicCredential(word) }
  const stream = session.request(asked, { endStream: false })
  stream.end(head(`GET ${path} HTTP/1.1`, 'Host: wiki', 'Connection: close'))
  try {
    return await text(stream)
  } finally {
    session.close()
  }
}

const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4)

/** `login`: what `app login` has printed, for an app that is a web server in the clear. */
export function clientsAlone(world: World, { git, login }: { readonly git: Git; readonly login: string }): Client[] {
  const { port, authority } = world
  const wordFor = wordsOf(world)
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C' }
  const curl = async (path: string, ...more: readonly string[]) => {
    const through = ['--proxy', `https://localhost:${port}`, '--proxy-cacert', authority]
    const asWhom = ['--proxy-user', `any:${await wordFor('wiki')}`]
    const plain = ['--silent', '--show-error', '--fail', '--noproxy', '']
    const { stdout, stderr } = await run('curl', [...plain, ...through, ...asWhom, ...more, `http://wiki${path}`], '', {
      env,
    })
    return [stderr + stdout, textAt(path)] as const
  }
  return [
    { name: 'curl by a word', line: 'wiki', work: (round) => curl(`/h${round}`) },
    {
      name: 'curl by a word, in a tunnel',
      line: 'sallyport wiki',
      work: (round) => curl(`/i${round}`, '--proxytunnel'),
    },
    {
      name: 'git by a word',
      line: 'sallyport git http/1.1',
      work: async () => {
        const proxy = `https://any:${await wordFor('git')}@localhost:${port}`
        const { sha, stderr } = await git.clone(proxy, 'https://git/repo.git', authority)
        return [`${stderr}${sha}`, git.sha]
      },
    },
    {
      name: 'CONNECT over HTTP/2 by a word',
      line: 'wiki',
      work: async (round) => [
        bodyOf(await getByHttp2(world, await wordFor('wiki'), `/j${round}`)),
        textAt(`/j${round}`),
      ],
    },
    {
      name: 'openssl s_client by a certificate',
      line: 'sallyport-services wiki sallyport-tcp',
      work: async (round) => {
        const asked = head(`GET /k${round} HTTP/1.0`)
        const { code, stdout, stderr } = await run('sh', ['-c', login], asked, { env })
        return [code === 0 ? bodyOf(stdout) : stderr, textAt(`/k${round}`)]
      },
    },
    {
      name: 'the API alone',
      line: 'sallyport sallyport-auth',
      work: async () => {
        const wire = await dial(
          { port, ca: readFileSync(authority, 'utf8') },
          { ALPNProtocols: ['sallyport-auth'], servername: 'localhost' },
        )
        wire.send(head('GET /healthz HTTP/1.1', `Host: localhost:${port}`, 'Connection: close'))
        await wire.closed
        return [wire.said().split('\r\n')[0] ?? '', 'HTTP/1.1 200 OK']
      },
    },
  ]
}
