/** One side writes as fast as it can, the other does not read: the proxy holds next to nothing of it, and in the end all of it has arrived. */
import { createHash, type Hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import process from 'node:process'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { startChild } from './child.ts'
import { startDatabase, welcome } from './database.ts'
import { newWorld, openSession } from './world.ts'

const megabyte = 1024 * 1024
const all = 320 * megabyte
/** Twice what Node's heap grows by while bytes pass, and less than half of what a proxy would have that kept them. */
const most = 128 * megabyte

const residentOf = (pid: number | undefined): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

/** No piece is like another. */
function pour(into: Writable, hash: Hash): { readonly written: () => number } {
  let written = 0
  const more = () => {
    while (written < all) {
      const piece = Buffer.alloc(64 * 1024, String(written))
      hash.update(piece)
      written += piece.length
      if (!into.write(piece)) return void into.once('drain', more)
    }
  }
  more()
  return { written: () => written }
}

async function untilStill(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); await sleep(500)) before = count()
}

test.for(['client', 'database'] as const)(
  'where the %s does not read',
  { timeout: 90_000 },
  async (reader, context) => {
    if (process.platform !== 'linux') return context.skip('this machine has no /proc')
    const server = Promise.withResolvers<Socket>()
    const database = await startDatabase((socket) => {
      socket.once('data', () => {
        socket.write('N')
        socket.once('data', () => {
          socket.write(welcome)
          server.resolve(socket)
        })
      })
    })
    const world = await newWorld({ tap: false, database })
    const { child, ...proxy } = await startChild(world)
    const { socket: client } = await openSession({ lea: world.lea, proxy })
    const [from, to] = reader === 'client' ? [await server.promise, client] : [client, await server.promise]
    to.removeAllListeners('data').pause()
    const [sent, received] = [createHash('sha256'), createHash('sha256')]
    const before = residentOf(child.pid)
    const { written } = pour(from, sent)
    await untilStill(written)
    expect(written()).toBeLessThan(all / 4)
    expect(residentOf(child.pid) - before).toBeLessThan(most)

    let [arrived, highest] = [0, 0]
    to.on('data', (piece: Buffer) => {
      arrived += piece.length
      received.update(piece)
    })
    to.resume()
    await until(() => {
      highest = Math.max(highest, residentOf(child.pid))
      return arrived === all
    }, 40_000)
    expect(received.digest('hex')).toBe(sent.digest('hex'))
    expect(highest - before).toBeLessThan(most)
  },
)
