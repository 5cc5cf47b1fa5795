/** A request to cancel finds the server of the session whose key it has, and nobody else's. */
import { beforeEach, describe, expect, test } from 'vitest'
import { missingPostgres } from '../../postgres.ts'
import { until } from '../proxy.ts'
import { certify, dialPlain, dialPostgres, filesOf, isReady, listenTo, psqlTo, startDirect } from './certificate.ts'
import { message, startDatabase } from './database.ts'
import { passwordFor, postgresWorld } from './postgres-world.ts'
import { newWorld } from './world.ts'

const missing = missingPostgres()

describe('a real PostgreSQL', () => {
  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing)
  })

  test('Ctrl-C in psql ends the query at the server', async () => {
    const world = await postgresWorld({ databases: [passwordFor()] })
    const files = filesOf(world.proxy, await certify(world))
    const statements = ['-c', 'select pg_sleep(600)']
    const psql = psqlTo(world.proxy, files, ['-w', ...statements])
    const sleeping = () =>
      world.postgres.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(600)' and state = 'active'")
    await until(() => sleeping() === '1', 20_000)
    psql.child.kill('SIGINT')
    await psql.ended
    expect(psql.stderr()).toContain('canceling statement due to user request')
    expect(sleeping()).toBe('0')
  })
})

const u32 = (number: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}
const cancelOf = (key: Buffer) => Buffer.concat([u32(8 + key.length), u32(80_877_102), key])
const longKey = Buffer.concat([u32(4711), Buffer.alloc(256, 7)])

/** Gives each session this key, in pieces, and keeps what it hears besides. */
async function keyWorld(key: Buffer) {
  const database = await startDatabase((socket) => {
    let isAsked = false
    socket.on('data', (bytes: Buffer) => {
      if (bytes.includes('user\0')) {
        const all = Buffer.concat([message('R', '\0\0\0\0'), message('K', key), message('Z', 'I')])
        socket.write(all.subarray(0, 12))
        setTimeout(() => socket.write(all.subarray(12)), 20)
      } else if (!isAsked) socket.write('N')
      else socket.end()
      if (isAsked && bytes.readUInt32BE(4) === 80_877_102) socket.end()
      isAsked = true
    })
  })
  const world = await newWorld({ tap: false, database })
  const client = await startDirect(world.proxy, { certified: await certify(world) })
  await client.until(isReady)
  return { ...world, client }
}

/** What each server connection heard of requests to cancel. */
const heard = ({ database }: Awaited<ReturnType<typeof keyWorld>>, key: Buffer) =>
  database.connections.filter(({ said }) => said().includes(cancelOf(key).toString('latin1'))).length

test.for([
  ['four bytes, in the clear', Buffer.concat([u32(1), u32(2)]), false],
  ['four bytes, within TLS', Buffer.concat([u32(1), u32(2)]), true],
  ['256 bytes', longKey, false],
] as const)('a key of %s reaches the server, which ends the connection first', async ([, key, isSecure]) => {
  const world = await keyWorld(key)
  const socket = isSecure ? await dialPostgres(world.proxy) : await dialPlain(world.proxy)
  const asking = listenTo(socket)
  socket.write(cancelOf(key))
  expect(await asking.closed).toBe('')
  expect(heard(world, key)).toBe(1)
})

test('a key that no session has is for nobody, and so is one whose session is over', async () => {
  const key = Buffer.concat([u32(1), u32(2)])
  const world = await keyWorld(key)
  const ask = async (request: Buffer) => {
    const asking = listenTo(await dialPlain(world.proxy))
    asking.socket.write(request)
    expect(await asking.closed).toBe('')
  }
  await ask(cancelOf(Buffer.concat([u32(1), u32(3)])))
  expect(world.database.connections).toHaveLength(1)
  world.client.socket.destroy()
  await until(() => world.proxy.serving.sessions.count === 0)
  await ask(cancelOf(key))
  expect(world.database.connections).toHaveLength(1)
  expect(world.proxy.codes().filter((code) => code === 'postgres_cancel_unknown')).toHaveLength(2)
})
