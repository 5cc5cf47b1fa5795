/**
 * The commands of a person's own machine go on when the proxy is killed and begins again: what was open is over, and the next connection has
 * a session of its own in the new process, for which it is asked again where a tap is wanted.
 */
import process from 'node:process'
import { expect, test } from 'vitest'
import type { Running } from '../../cli/run-cli.ts'
import { answerIn } from '../../cli/tls-edge.ts'
import { missingPostgres, readerPassword, startPostgres } from '../../postgres.ts'
import { missing } from '../front/front.ts'
import { atEnd } from '../proxy.ts'
import { redisPrograms, startRedis } from './redis.ts'
import { start } from './started.ts'
import { startWorld, type World } from './world.ts'

const lacking = missingPostgres() ?? missing(...redisPrograms)

/** The newest page, once so many were shown. */
async function approve({ lea }: World, { stderr }: Running, many: number): Promise<void> {
  const pages = () => stderr().match(/^http:\/\/localhost:\d+\/approve\S+$/gm) ?? []
  await expect.poll(() => pages().length, { timeout: 30_000 }).toBe(many)
  const seen = async (pattern: RegExp) => pattern.exec(`${pages().at(-1)}\n`) as RegExpExecArray
  await answerIn({ seen }, lea)
}

function startPsql(port: number) {
  const where = `host=orders hostaddr=127.0.0.1 port=${port} user=reader dbname=app sslmode=disable`
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LC_ALL: 'C', PGPASSWORD: readerPassword }
  return start('psql', ['-XAtqnw', where], env)
}

test.for([
  ['without a tap', false],
  ['with a tap for each', true],
] as const)('%s', { timeout: 240_000 }, async ([, tap], context) => {
  if (lacking) return context.skip(lacking)
  const [postgres, redis] = [await startPostgres(), await startRedis()]
  atEnd(postgres.stop)
  const databases = { orders: `127.0.0.1:${postgres.port}` }
  const world = await startWorld({ tap, databases, apps: { redis: `tcp://${redis.uri}` } })
  const db = await world.listening('proxy', 'db', 'orders')
  const tcp = await world.listening('proxy', 'tcp', 'app/redis')
  const ask = async (command: Running, many: number) => (tap ? approve(world, command, many) : undefined)
  /** Both, each with the session that it has from now on. */
  const use = async (many: number) => {
    const psql = startPsql(db.port)
    psql.child.stdin?.write(`select 'round ' || ${many};\n`)
    const pinging = redis.cli(tcp.port, ['ping'])
    // One after the other, as one person with one key: its counter must not come the wrong way around.
    await ask(db, many)
    await psql.says(new RegExp(`^round ${many}$`, 'm'))
    await ask(tcp, many)
    expect(await pinging).toMatchObject({ code: 0, stdout: 'PONG\n' })
    return psql
  }
  const open = await use(1)
  await world.restartProxy()
  open.child.stdin?.end('select 1;\n')
  expect(await open.ended).toBe(2)
  expect(open.stderr()).toContain('server closed the connection unexpectedly')
  await use(2)
  const started = world.lines().filter(({ message }) => message === 'session started')
  expect(started.map(({ resource }) => resource).sort()).toEqual(['orders', 'orders', 'redis', 'redis'])
  for (const { child } of [db, tcp]) expect(child.exitCode).toBe(null)
})
