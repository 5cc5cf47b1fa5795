/** What happened to sessions while the edge took no news is told by the next process of the proxy, once, however the one before ended. */
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openIdentity } from '../../../proxy/identity.ts'
import { openSpool, spoolFolder } from '../../../proxy/spool.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { newHome } from '../../worker/start/start.ts'
import { atEnd, needs, until } from '../proxy.ts'
import { startChild } from './child.ts'
import { message } from './database.ts'
import { eventsOf, newWorld, openSession, type World } from './world.ts'

const kept = (home: string): string[] => {
  const names = readdirSync(spoolFolder(home))
  return names.flatMap((name) => readFileSync(join(spoolFolder(home), name), 'utf8').split('\n')).filter(Boolean)
}
const kindsOf = ({ edge }: World) => eventsOf(edge).map(({ kind }) => kind)

/** One session, from its beginning to its end, of a process that cannot tell of it. */
async function untold(world: World, home: string) {
  // The other proxy of this world says nothing more.
  await until(() => world.proxy.serving.events.waiting === 0)
  world.line.refuses = (path) => path === '/v1/proxy/events'
  const child = await startChild(world, home)
  const tunnel = await openSession({ lea: world.lea, proxy: child })
  tunnel.socket.end(message('X'))
  await tunnel.closed
  // Its own beginning, that of the session, and its end.
  await until(() => kept(home).length === 3)
  return child
}

async function killed({ child, ended }: Awaited<ReturnType<typeof untold>>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

test('kill -9 while the edge is away: told when both are back, none lost and none twice', async () => {
  const world = await newWorld({ tap: false })
  const home = newHome()
  await killed(await untold(world, home))
  expect(kindsOf(world)).toEqual([])
  if (process.platform !== 'win32') {
    expect(statSync(spoolFolder(home)).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(spoolFolder(home)))
      expect(statSync(join(spoolFolder(home), name)).mode & 0o777).toBe(0o600)
  }
  world.line.refuses = () => false
  await startChild(world, home)
  await until(() => kindsOf(world).length === 2, 15_000)
  await until(() => kept(home).length === 0, 15_000)
  expect(kindsOf(world)).toEqual(['session.start', 'session.stop'])
})

test('kill -9 after the edge has written them, and before it has said so', async () => {
  const world = await newWorld({ tap: false })
  const home = newHome()
  const child = await untold(world, home)
  const isKilled = new Promise<void>((done) => {
    world.line.tamper = async (path, answer) => {
      if (path !== '/v1/proxy/events') return answer
      await killed(child)
      done()
      return undefined
    }
  })
  world.line.refuses = () => false
  await isKilled
  expect(kindsOf(world)).toEqual(['session.start', 'session.stop'])
  world.line.tamper = (_, answer) => answer
  await startChild(world, home)
  await until(() => kept(home).length === 0, 15_000)
  expect(kindsOf(world)).toEqual(['session.start', 'session.stop'])
})

test('a last line that was cut loses none of the others', async () => {
  const world = await newWorld({ tap: false })
  const home = newHome()
  await killed(await untold(world, home))
  const [name = ''] = readdirSync(spoolFolder(home))
  appendFileSync(join(spoolFolder(home), name), '{"id":"half of an ev')
  world.line.refuses = () => false
  const { child } = await startChild(world, home)
  let said = ''
  child.stderr?.on('data', (part) => {
    said += part
  })
  await until(() => kept(home).length === 0, 15_000)
  expect(kindsOf(world)).toEqual(['session.start', 'session.stop'])
  expect(said).not.toContain('"level":"error"')
})

test('an event that the edge cannot read keeps no other from it', async () => {
  const world = await newWorld({ tap: false })
  const home = newHome()
  await killed(await untold(world, home))
  const [name = ''] = readdirSync(spoolFolder(home))
  const file = join(spoolFolder(home), name)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  writeFileSync(
    file,
    [lines[0], '{"id":"x","at":1,"kind":"of another version","address":""}', ...lines.slice(1), ''].join('\n'),
  )
  world.line.refuses = () => false
  await startChild(world, home)
  await until(() => kept(home).length === 0, 15_000)
  expect(kindsOf(world)).toEqual(['session.start', 'session.stop'])
})

const event = (id: string, at = 1) => ({ id, at, text: 'x'.repeat(100) })

async function spoolIn(home: string, boot: string) {
  await openIdentity(needs, home)
  const spool = openSpool<ReturnType<typeof event>>(home, boot, () => undefined)
  atEnd(() => spool.close())
  return spool
}

function folder(): string {
  const home = newFolder()
  atEnd(() => remove(home))
  return home
}

test('two processes of one home: neither loses what the other has taken over', async () => {
  const home = folder()
  const first = await spoolIn(home, 'one')
  first.add(event('a', 2))
  const second = await spoolIn(home, 'two')
  expect(second.found.map(({ id }) => id)).toEqual(['a'])
  first.add(event('b'))
  // It has grown: its process lives.
  second.keep([])
  expect((await spoolIn(home, 'three')).found.map(({ id }) => id)).toEqual(['b', 'a'])
  const third = await spoolIn(home, 'four')
  third.keep([])
  expect(kept(home)).toEqual([])
  first.add(event('c'))
  expect(kept(home).map((line) => JSON.parse(line).id)).toEqual(['c'])
})

test('what was acknowledged does not fill the disk', async () => {
  const home = folder()
  const spool = await spoolIn(home, 'one')
  for (let n = 0; n < 20_000; n++) spool.add(event(`e${n}`))
  spool.keep([event('last')])
  expect(kept(home).map((line) => JSON.parse(line).id)).toEqual(['last'])
  spool.add(event('more'))
  expect(kept(home).map((line) => JSON.parse(line).id)).toEqual(['last', 'more'])
  spool.keep([])
  expect(kept(home)).toEqual([])
})
