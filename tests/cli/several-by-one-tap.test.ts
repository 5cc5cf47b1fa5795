/** `proxy tcp` and `proxy db` with several names, or --count: a port each, one page for all, and each use once. */
import { expect, test } from 'vitest'
import { newSessionProxy, type SessionProxy } from './db/session-proxy.ts'
import { dial, echo } from './db/wire.ts'
import { newCli, type Running } from './run-cli.ts'
import { answerIn, signedIn } from './tls-edge.ts'

async function start(proxy: SessionProxy, verb: string, ...args: string[]) {
  const cli = await signedIn(proxy.front)
  const running = cli.start(['proxy', verb, '--no-browser', ...args])
  const portOf = async (name: string) =>
    Number((await running.seen(new RegExp(`^listening on 127\\.0\\.0\\.1:(\\d+) for ${name}$`, 'm')))[1])
  return { running, portOf }
}

const pages = ({ stderr }: Running) => stderr().match(/^http:\/\/localhost:3080\/approve\S+$/gm) ?? []
const pagesAre = (running: Running, count: number) =>
  expect.poll(() => pages(running).length, { timeout: 15_000 }).toBe(count)

/** The page of that number, from 1: what announces it may come in a piece of its own. */
const approve = async (running: Running, nth: number, { front }: SessionProxy, says: 'yes' | 'no' = 'yes') => {
  await pagesAre(running, nth)
  const seen = async (pattern: RegExp) => pattern.exec(`${pages(running).at(-1)}\n`) as RegExpExecArray
  await answerIn({ seen }, front.person, says)
}

async function pass(port: number, words: string) {
  const wire = dial(port)
  wire.send(words)
  return wire
}

test('one page lists all; each opens once by it, then the next connection asks anew', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, portOf } = await start(proxy, 'tcp', 'node/web-1', 'app/wiki', '--login=ubuntu')
  const [host, wiki] = [await portOf('node/web-1'), await portOf('app/wiki')]
  await running.seen(new RegExp(`^ssh -p ${host} -o HostKeyAlias=web-1 ubuntu@127\\.0\\.0\\.1$`, 'm'))
  const first = await pass(wiki, 'one')
  await running.seen(/^To open web-1 \(login ubuntu\) once, wiki once, open this page in a browser on this machine:$/m)
  // It waits its turn, and then needs no page.
  const second = await pass(host, 'two')
  await approve(running, 1, proxy)
  await first.until(/^one$/)
  await second.until(/^two$/)
  expect(pages(running)).toHaveLength(1)
  const third = await pass(host, 'three')
  await approve(running, 2, proxy)
  await third.until(/^three$/)
  expect({ faults: proxy.faults, sessions: proxy.sessions }).toEqual({
    faults: [],
    sessions: ['app/wiki*', 'node/web-1 (login ubuntu)*', 'node/web-1 (login ubuntu)*'],
  })
}, 60_000)

test('--count lets one tap open each so often; another process of the proxy takes none of what is left', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running } = await start(proxy, 'tcp', 'app/wiki', '--count=3')
  const port = Number((await running.seen(/^listening on 127\.0\.0\.1:(\d+)$/m))[1])
  const first = await pass(port, 'one')
  await running.seen(/^To open wiki 3 times, open this page/m)
  await approve(running, 1, proxy)
  await first.until(/one/)
  await (await pass(port, 'two')).until(/two/)
  expect(pages(running)).toHaveLength(1)
  proxy.restart()
  const next = await pass(port, 'three')
  await approve(running, 2, proxy)
  await next.until(/three/)
  expect(proxy).toMatchObject({ faults: [], sessions: ['app/wiki*', 'app/wiki*', 'app/wiki*'] })
}, 60_000)

test('refused in the browser nothing opens, and the next connection asks anew; where no role wants a tap no page does', async () => {
  const proxy = await newSessionProxy({ tap: true, port: await echo() })
  const { running, portOf } = await start(proxy, 'tcp', 'node/web-1', 'app/wiki', '--login=ubuntu')
  const refused = await pass(await portOf('app/wiki'), 'one')
  await approve(running, 1, proxy, 'no')
  expect(await refused.ended).toBe('reset')
  const next = await pass(await portOf('node/web-1'), 'two')
  await approve(running, 2, proxy)
  await next.until(/two/)

  const free = await newSessionProxy({ port: await echo() })
  const untapped = await start(free, 'tcp', 'node/web-1', 'app/wiki', '--login=ubuntu', '--count=2')
  await (await pass(await untapped.portOf('app/wiki'), 'three')).until(/three/)
  expect(pages(untapped.running)).toHaveLength(0)
  expect(free).toMatchObject({ faults: [], sessions: ['app/wiki'] })
}, 60_000)

const usage: [args: string[], state: string, hint: string][] = [
  [['tcp', 'app/wiki', 'app/wiki'], 'wiki is named twice', 'name each once, with --count=N'],
  [['tcp', 'app/wiki', '--count=0'], '0 is not how often', 'give a number from 1 to 16'],
  [['tcp', 'app/wiki', '--count=17'], '17 is not how often', 'give a number from 1 to 16'],
  [['tcp', 'app/wiki', 'node/web-1', '--kube-user=x'], 'app/wiki, node/web-1 takes no --kube-user', 'it takes --login'],
  [['db', 'orders', 'orders'], 'orders is named twice', 'name each once, with --count=N'],
  [
    ['db', 'orders', '--count=2', '--db-name=app'],
    '--db-user is not given',
    'one tap for several sessions says as whom, and where',
  ],
  [
    ['db', 'orders', 'stock', '--db-user=reader'],
    '--db-name is not given',
    'one tap for several sessions says as whom, and where',
  ],
]

test.each(usage)('%j: exit 2', async (args, state, hint) => {
  expect(await newCli().run(['proxy', ...args])).toEqual({
    code: 2,
    stdout: '',
    stderr: `sallyport: error: Cannot start the local proxy: ${state}\nhint: ${hint}\n`,
  })
})

test('the ports of several follow the one that is given; where one is taken, none stays open', async () => {
  const proxy = await newSessionProxy({ tap: true })
  const taken = await echo()
  const cli = await signedIn(proxy.front)
  const result = await cli.run(['proxy', 'tcp', 'node/web-1', 'app/wiki', '--login=ubuntu', `--port=${taken - 1}`])
  expect(result).toEqual({
    code: 1,
    stdout: '',
    stderr: `sallyport: error: Cannot start the local proxy: port ${taken} is in use\nhint: give another one with --port, or none for any that is free\n`,
  })
  const high = await cli.run(['proxy', 'tcp', 'node/web-1', 'app/wiki', '--login=ubuntu', '--port=65535'])
  expect(high).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no port 65536') })
}, 60_000)
