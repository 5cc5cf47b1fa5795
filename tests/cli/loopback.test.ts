import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { listenOnLoopback } from '../../cli/loopback.ts'

const state = 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4'
const issuer = 'http://localhost:3080'
const good = `/callback?code=c0de&state=${state}&iss=${encodeURIComponent(issuer)}`

async function listen() {
  const loopback = await listenOnLoopback({ state, issuer })
  onTestFinished(() => loopback.close())
  const { port, hostname } = new URL(loopback.redirectUri)
  let answer: URLSearchParams | undefined
  void loopback.answer.then((found) => {
    answer = found
  })
  const host = `${hostname}:${port}`
  const ask = (target: string, { method = 'GET', as = host }: { method?: string; as?: string } = {}) =>
    raw(Number(port), `${method} ${target} HTTP/1.1\r\nHost: ${as}\r\nConnection: close\r\n\r\n`)
  return { loopback, port: Number(port), host, ask, answer: () => answer }
}

function raw(port: number, bytes: string): Promise<string> {
  return new Promise((done) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    socket.on('error', () => undefined)
    socket.on('close', () => done(text))
  })
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])

test('the redirect address is 127.0.0.1, a random port and /callback', async () => {
  const [one, two] = [await listen(), await listen()]
  expect(one.loopback.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
  expect(one.loopback.redirectUri).not.toBe(two.loopback.redirectUri)
})

test('nothing listens on an address that other machines reach', async () => {
  const { port } = await listen()
  const outside = Object.values(networkInterfaces()).flatMap(
    (all) => all?.filter(({ internal, family }) => !internal && family === 'IPv4') ?? [],
  )
  for (const { address } of outside) {
    const reached = await new Promise<boolean>((done) => {
      const socket = connect({ port, host: address, timeout: 1000 }, () => done(true))
      socket.on('error', () => done(false)).on('timeout', () => done(false))
      onTestFinished(() => void socket.destroy())
    })
    expect(reached).toBe(false)
  }
})

const noise: [what: string, status: number, target: string, options?: { method?: string; as?: string }][] = [
  ['another path', 404, good.replace('/callback', '/')],
  ['a path below', 404, good.replace('/callback', '/callback/')],
  ['a path that a URL parser would repair', 404, good.replace('/callback', '/x/../callback')],
  ['an absolute target', 404, `http://127.0.0.1${good}`],
  ['POST', 405, good, { method: 'POST' }],
  ['HEAD', 405, good, { method: 'HEAD' }],
  ['another Host', 421, good, { as: 'evil.example' }],
  ['localhost as Host', 421, good, { as: 'localhost' }],
  ['another state', 400, good.replace(state, `${state.slice(0, -1)}5`)],
  ['no state', 400, good.replace(`state=${state}`, '')],
  ['the state twice', 400, `${good}&state=${state}`],
  ['two codes', 400, `${good}&code=other`],
  ['another issuer', 400, good.replace('3080', '3081')],
  ['no issuer', 400, good.replace(/&iss.*/, '')],
]

test.each(noise)('%s is refused (%i), and the wait goes on', async (_, status, target, options) => {
  const { ask, answer } = await listen()
  expect(statusOf(await ask(target, options))).toBe(status)
  expect(answer()).toBeUndefined()
  expect(statusOf(await ask(good))).toBe(200)
  await expect.poll(() => answer()?.get('code')).toBe('c0de')
})

test('bytes that are no HTTP, and heads without end, change nothing', async () => {
  const { port, ask } = await listen()
  expect(statusOf(await raw(port, '\x16\x03\x01\x00\x05hello\r\n\r\n'))).toBe(400)
  expect(statusOf(await raw(port, `GET /callback HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`))).toBe(431)
  expect(statusOf(await ask(good))).toBe(200)
})

test('an answer as long as a whole assertion arrives', async () => {
  const { ask, answer } = await listen()
  const tap = 'A'.repeat(30_000)
  expect(statusOf(await ask(good.replace('code=c0de', `tap=${tap}`)))).toBe(200)
  await expect.poll(() => answer()?.get('tap')).toBe(tap)
})

test('only the first good answer counts', async () => {
  const { ask, answer } = await listen()
  await ask(good)
  expect(statusOf(await ask(good.replace('c0de', 'second')))).toBe(410)
  expect(answer()?.get('code')).toBe('c0de')
})

test('the page has no script, lets nothing in, and repeats nothing that came', async () => {
  const { ask } = await listen()
  const page = await ask(`${good}&x=%3Cscript%3Eevil%3C/script%3E`)
  expect(page).toMatch(/content-security-policy: default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/i)
  expect(page).toMatch(/cache-control: no-store/i)
  expect(page).toMatch(/referrer-policy: no-referrer/i)
  expect(page).toContain('You can close this window.')
  for (const word of ['script', 'evil', 'c0de', state]) expect(page.toLowerCase()).not.toContain(word.toLowerCase())
})

test('a refusal has a page of its own, and its error arrives', async () => {
  const { ask, answer } = await listen()
  expect(await ask(good.replace('code=c0de', 'error=access_denied'))).toContain('<h1>Refused</h1>')
  await expect.poll(() => answer()?.get('error')).toBe('access_denied')
})

test('close ends connections that are open too', async () => {
  const { loopback, port } = await listen()
  const ended = raw(port, 'GET /callback HTTP/1.1\r\n')
  await new Promise((next) => setTimeout(next, 50))
  loopback.close()
  expect(statusOf(await ended)).toBeNaN()
})
