/** Several processes on one new file, all at once: they migrate it once, and each ticket has one winner. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { base64url, fromBase64url } from '../../core/lib/bytes.ts'
import { sha256 } from '../../core/lib/hash.ts'
import { Visitor } from '../client.ts'
import { freePort, launchServe, newFolder, type Running, remove } from '../runtime/launch.ts'
import { migrations } from './migration-files.ts'

const folder = newFolder()
afterAll(() => remove(folder))

const script = join(import.meta.dirname, 'ticket-process.ts')
const tickets = 300
const four = [0, 1, 2, 3]

interface Child {
  readonly child: ChildProcess
  readonly isUp: Promise<void>
  /** What it won. */
  readonly won: Promise<string[]>
}

function spawnTickets(file: string): Child {
  const child = spawn(process.execPath, [script, file, String(tickets)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  const isUp = new Promise<void>((up) =>
    child.stdout.on('data', (part) => {
      said += part
      if (said.startsWith('up\n')) up()
    }),
  )
  const won = new Promise<string[]>((done, failed) =>
    child.once('close', (code) => {
      if (code === 0) done(JSON.parse(said.slice('up\n'.length)) as string[])
      else failed(new Error(`a process ended with ${code}`))
    }),
  )
  return { child, isUp, won }
}

test('4 processes on one new file: migrated once, and 300 tickets have 300 winners', async () => {
  const file = join(folder, 'edge.db')
  const children = four.map(() => spawnTickets(file))
  await Promise.all(children.map(({ isUp }) => isUp))
  for (const { child } of children) child.stdin?.end('go\n')
  const won = (await Promise.all(children.map((each) => each.won))).flat()
  expect(won).toHaveLength(tickets)
  expect(new Set(won).size).toBe(tickets)
  const raw = new DatabaseSync(file)
  const names = raw.prepare('select name from d1_migrations order by id').all()
  expect(names).toEqual(migrations.map(({ name }) => ({ name })))
  for (const table of ['spent', 'sessions', 'audit']) {
    expect(raw.prepare(`select count(*) as count from ${table}`).get()).toEqual({ count: tickets })
  }
  expect(raw.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  raw.close()
})

/** What each link is answered, whichever edge is asked. */
async function check(edges: readonly Running[], secret: string): Promise<Set<number>> {
  const replies = edges.map(({ origin }) => new Visitor(origin).post('/v1/first-administrator/check', { secret }))
  return new Set((await Promise.all(replies)).map(({ status }) => status))
}

test('4 edges on one new home: all get ready, with one key, and the link offered last is the one that works', async () => {
  const home = join(folder, 'home')
  const ports = await Promise.all(four.map(freePort))
  const edges = await Promise.all(ports.map((port) => launchServe('node', { home, port })))
  try {
    const raw = new DatabaseSync(join(home, 'data', 'edge.db'), { readOnly: true })
    const open = raw
      .prepare('select hash from administrator_link')
      .all()
      .map((row) => String(row['hash']))
    raw.close()
    expect(open).toHaveLength(1)
    const answers = new Map<string, Set<number>>()
    for (const { secret = '' } of edges) {
      const hash = base64url(await sha256(fromBase64url(secret)!))
      answers.set(hash, await check(edges, secret))
    }
    expect(answers.size).toBe(4)
    for (const [hash, statuses] of answers) expect(statuses).toEqual(new Set([hash === open[0] ? 200 : 410]))
    expect(readdirSync(home).sort()).toEqual(['data', 'key'])
    expect(readFileSync(join(home, 'key'), 'utf8')).toMatch(/^[\w-]{43}$/)
  } finally {
    // One after the other: of two that close at once each may take the other for open, and leave the log for the next start.
    const codes: (number | null)[] = []
    for (const edge of edges) codes.push(await edge.stop())
    expect(codes).toEqual([0, 0, 0, 0])
  }
  expect(existsSync(join(home, 'data', 'edge.db-wal'))).toBe(false)
})
