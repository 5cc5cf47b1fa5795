/** OpenSSL’s own client: versions, no resumption, no early data, no renegotiation, and names in Host. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd, edgeThat, head, type Proxy as Started, startProxy, until } from '../proxy.ts'

const missing = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is not installed'
const request = head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost')

interface Client {
  readonly child: ChildProcess
  readonly said: () => string
  readonly send: (text: string) => void
  readonly ended: Promise<number | null>
}

function sClient({ port }: Started, args: readonly string[], servername = 'localhost'): Client {
  const all = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', servername, ...args]
  const child = spawn('openssl', all, { stdio: ['pipe', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      said += part
    })
  }
  child.stdin.on('error', () => undefined)
  const ended = new Promise<number | null>((done) => child.once('close', done))
  return { child, said: () => said, send: (text) => void child.stdin.write(text), ended }
}

const answered = (client: Client) => until(() => client.said().includes('HTTP/1.1 200'), 20_000)

function folderOf(): string {
  const folder = newFolder()
  atEnd(() => remove(folder))
  return folder
}

const start = () => startProxy({ edge: 'http://localhost:1', limits: { graceMs: 50 } })

test.skipIf(missing).for(['-tls1_2', '-tls1_3'])('%s is spoken, and no session of it is resumed', async (version) => {
  const proxy = await start()
  const session = join(folderOf(), 'session')
  const first = sClient(proxy, [version, '-sess_out', session])
  first.send(request)
  await answered(first)
  first.child.stdin?.end()
  await first.ended
  // In TLS 1.3 there is a ticket, which holds nothing: this server keeps no session that it could name.
  await until(() => existsSync(session), 20_000)
  const again = sClient(proxy, [version, '-sess_in', session])
  again.send(request)
  await answered(again)
  for (const client of [first, again]) {
    expect(client.said()).toMatch(/^New, TLSv1\.[23], Cipher is /m)
    expect(client.said()).not.toMatch(/^Reused, /m)
  }
})

test.skipIf(missing)('of TLS 1.2 no ticket is given', async () => {
  const proxy = await start()
  const client = sClient(proxy, ['-tls1_2'])
  client.send(request)
  await answered(client)
  expect(client.said()).not.toContain('TLS session ticket')
})

test.skipIf(missing).for(['-tls1', '-tls1_1'])('%s is refused', async (version) => {
  const proxy = await start()
  const client = sClient(proxy, [version, '-cipher', 'DEFAULT@SECLEVEL=0'])
  await client.ended
  expect(client.said()).toMatch(/protocol version/)
  expect(client.said()).not.toContain('BEGIN CERTIFICATE')
})

test.skipIf(missing)(
  'early data is not taken: no session allows it, and what a client sends all the same is not read',
  async () => {
    const asked: string[] = []
    const edge = await edgeThat(({ url }, response) => {
      asked.push(url ?? '')
      response.end('{}')
    })
    const proxy = await startProxy({ edge, limits: { graceMs: 50 } })
    // A session of another server that allows it.
    const folder = folderOf()
    const [session, early] = [join(folder, 'session'), join(folder, 'early')]
    writeFileSync(early, head('GET /v1/early HTTP/1.1', 'Host: localhost'))
    const other = await earlyServer(folder)
    const taking = sClient(other, ['-tls1_3', '-sess_out', session])
    await until(() => existsSync(session), 20_000)
    taking.send('Q\n')
    await taking.ended
    const client = sClient(proxy, ['-tls1_3', '-sess_in', session, '-early_data', early])
    await until(() => /Early data was (rejected|accepted|not sent)/.test(client.said()), 20_000)
    expect(client.said()).toContain('Early data was rejected')
    client.send(request)
    await answered(client)
    expect(asked).toEqual([])
  },
)

/** Greets each connection, so that its client sees the ticket. */
async function earlyServer(folder: string): Promise<Started> {
  const port = await freePort()
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=localhost',
  ]
  spawnSync('openssl', [...made, '-keyout', key, '-out', cert])
  const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-key', key, '-cert', cert, '-early_data', '-quiet']
  const child = spawn('openssl', args, { stdio: ['pipe', 'ignore', 'ignore'] })
  atEnd(() => child.kill('SIGKILL'))
  await until(
    () => spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`], { input: 'Q\n' }).status === 0,
    20_000,
  )
  return { port } as Started
}

test.skipIf(missing)('a renegotiation is refused', async () => {
  const proxy = await start()
  const client = sClient(proxy, ['-tls1_2'])
  await until(() => client.said().includes('Verify return code'), 20_000)
  client.send('R\n')
  await client.ended
  expect(client.said()).toMatch(/RENEGOTIATING/)
  expect(client.said()).toMatch(/no renegotiation|handshake failure|unexpected message|errno/i)
})
