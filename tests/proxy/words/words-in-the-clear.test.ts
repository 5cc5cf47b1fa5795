/** A word is never taken in the clear, and one that came so is used up. ncat knows no TLS to a proxy: it has a way through a TLS of its own. */
import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { freePort } from '../../runtime/launch.ts'
import { answerTo, missing, run, serving } from '../front/front.ts'
import { atEnd, until } from '../proxy.ts'
import { filesOf } from '../routes/routes.ts'
import { eventsOf } from '../sessions/world.ts'
import { answerIn, basic, connectHead, connecting, established, type WordWorld, wordOf, wordWorld } from './words.ts'

async function expectBurnt(world: WordWorld, word: string): Promise<void> {
  const wire = await connecting(world.proxy, [basic(word)])
  await wire.closed
  expect(answerIn(wire.said())).toMatchObject({ status: 403, error: 'grant_invalid' })
  expect(world.upstream.connections).toEqual([])
  await until(() => eventsOf(world.edge).length > 0)
  expect(String(eventsOf(world.edge)[0]?.['detail'])).toContain('word_in_the_clear')
}

test.each<[string, (word: string) => string]>([
  ['CONNECT', (word) => connectHead([basic(word)])],
  ['CONNECT of HTTP/1.0', (word) => connectHead([basic(word)], { version: '1.0' })],
  ['CONNECT back to the port', (word) => connectHead([basic(word)], { target: 'localhost:443' })],
  ['GET', (word) => `GET http://wiki/ HTTP/1.1\r\nHost: wiki\r\n${basic(word)}\r\n\r\n`],
  ['POST', (word) => `POST http://wiki/ HTTP/1.1\r\nHost: wiki\r\nContent-Length: 1\r\n${basic(word)}\r\n\r\nx`],
  [
    'whoever writes heads as he likes',
    (word) => `GET http://wiki/ HTTP/1.0\n${basic(word).toUpperCase().slice(0, 19)} : ${basic(word).slice(21)}\n\n`,
  ],
])('%s: refused with what to do, and the word is dead', async (_, bytes) => {
  const world = await wordWorld()
  const word = await wordOf(world)
  const answer = answerIn(await answerTo(world.proxy.port, bytes(word)))
  expect(answer).toMatchObject({ status: 403, error: 'credential_in_the_clear' })
  expect(answer.message).toContain('https://')
  await expect.poll(world.proxy.codes).toContain('plain_credential')
  expect(JSON.stringify(world.proxy.log)).not.toContain(word)
  await expectBurnt(world, word)
})

test('byte by byte too, and without a credential it is closed without a word', async () => {
  const world = await wordWorld()
  expect(await answerTo(world.proxy.port, 'GET http://wiki/ HTTP/1.1\r\nHost: wiki\r\n\r\n')).toBe('')
  expect(await answerTo(world.proxy.port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(17_000)}`)).toBe('')
  await expect.poll(world.proxy.codes).toEqual(['plain_http', 'plain_http'])
})

test('curl with http:// for the proxy', async () => {
  const world = await wordWorld()
  const word = await wordOf(world)
  const proxy = ['--proxy', `http://127.0.0.1:${world.proxy.port}`, '--proxy-user', `any:${word}`]
  const ran = await run('curl', ['-sS', '--noproxy', '', ...proxy, 'http://wiki/'])
  expect(ran.stdout).toContain('credential_in_the_clear')
  await expectBurnt(world, word)
})

test('ncat, which speaks to a proxy in the clear alone: it asks without its word first, and is told before it sends it', async (context) => {
  const lacking = missing('ncat')
  if (lacking) return context.skip(lacking)
  const world = await wordWorld()
  const word = await wordOf(world)
  const ran = await run('ncat', ncatTo(world.proxy.port, word), 'hello')
  expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('403') })
  const wire = await connecting(world.proxy, [basic(word)])
  await until(() => wire.said() === established)
})

const ncatTo = (port: number, word: string) => [
  ...['--proxy', `127.0.0.1:${port}`, '--proxy-type', 'http', '--proxy-auth', `any:${word}`],
  ...['wiki', '443'],
]

test('ncat through TLS that another ncat ends on its own machine, verified', async (context) => {
  const lacking = missing('ncat')
  if (lacking) return context.skip(lacking)
  const world = await wordWorld()
  const [word, port] = [await wordOf(world), await freePort()]
  const { ca } = filesOf({ ca: world.proxy.ca })
  const secured = `ncat --ssl-verify --ssl-trustfile ${ca} --ssl-servername localhost localhost ${world.proxy.port}`
  await serving(port, 'ncat', ['--listen', '127.0.0.1', String(port), '--keep-open', '--sh-exec', secured])
  const child = spawn('ncat', ncatTo(port, word), { stdio: ['pipe', 'pipe', 'inherit'] })
  atEnd(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (piece: Buffer) => {
    said += String(piece)
  })
  child.stdin.write('hello')
  await until(() => said === 'hello', 30_000)
})
