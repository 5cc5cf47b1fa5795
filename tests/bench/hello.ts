/**
 * What one ClientHello costs to read, and that a client which sends it byte by byte, or in records as small as are allowed,
 * makes it cost no more than in proportion to its size.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type HelloLimits, helloReader, parseHello } from '../../core/route/hello.ts'
import {
  alpn,
  type Extension,
  keyShares,
  message,
  padding,
  pieces,
  records,
  sni,
  versions,
} from '../core/hello-writer.ts'
import { type Spread, spread } from './statistics.ts'

type Settings = { rounds: number; ms: number }
type Figures = { bytes: number; ns_per_hello: Spread; ns_per_byte: number }

const recordHeader = 5

/** What a client of today sends, its key shares apart: a name, ALPN, versions, and what is passed over. */
const ordinary: readonly Extension[] = [
  sni('database.proxy.example.com'),
  [23, new Uint8Array()],
  [0xff01, new Uint8Array(1)],
  [10, new Uint8Array(8)],
  [11, new Uint8Array(2)],
  [35, new Uint8Array()],
  alpn('h2', 'http/1.1'),
  [5, new Uint8Array(5)],
  [13, new Uint8Array(18)],
  [18, new Uint8Array()],
  [45, new Uint8Array(2)],
  versions(0x0304, 0x0303),
]
/** Nothing is refused for its size here: how the cost grows is the question. */
const limits: HelloLimits = { maxHelloBytes: 65_536, maxHelloRecords: 65_536 }
const doubling = [2_000, 4_000, 8_000, 16_000]

export async function hello(args: readonly string[]): Promise<unknown> {
  const settings = parseSettings(args)
  const whole = (wire: Uint8Array) => measured(wire, () => parseHello(wire), settings)
  const dribbled = (wire: Uint8Array) => measured(wire, dribble(wire), settings)
  return {
    benchmark: 'hello',
    machine: { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model, platform: process.platform },
    settings: { rounds: settings.rounds, ms_a_round: settings.ms, time: 'CPU time of the thread' },
    whole: {
      ordinary: whole(records(sized(340 - recordHeader))),
      post_quantum: whole(records(message(...ordinary, keyShares([0x11ec, 1216], [29, 32])))),
    },
    byte_by_byte: growth(doubling.map((length) => dribbled(records(sized(length))))),
    byte_by_byte_in_records_of_one_byte: growth(doubling.map((length) => dribbled(records(sized(length), 1)))),
  }
}

function parseSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: 'string', default: '9' }, ms: { type: 'string', default: '100' } },
  })
  const settings = { rounds: Number(values.rounds), ms: Number(values.ms) }
  if (!(settings.rounds >= 1 && settings.ms >= 1)) throw new Error('--rounds and --ms are numbers from 1 on')
  return settings
}

/** The ordinary one, its message padded to so many bytes. */
function sized(length: number): Uint8Array {
  const list = [...ordinary, keyShares([29, 32])]
  return message(...list, padding(length - message(...list, padding(0)).length))
}

function dribble(wire: Uint8Array): () => unknown {
  const single = pieces(wire, 1)
  return () => {
    const reader = helloReader(limits)
    for (const piece of single) reader.push(piece)
  }
}

/** Rounds of many readings each, after one that is not counted. */
function measured({ length }: Uint8Array, read: () => unknown, { rounds, ms }: Settings): Figures {
  const nanoseconds = Array.from({ length: rounds + 1 }, () => round(read, ms)).slice(1)
  const each = spread(nanoseconds, 0)
  return { bytes: length, ns_per_hello: each, ns_per_byte: Number((each.median / length).toFixed(2)) }
}

/** Time of this thread alone: what else the machine does meanwhile would be a part of any other one. */
function round(read: () => unknown, ms: number): number {
  const end = performance.now() + ms
  const start = process.threadCpuUsage()
  let count = 0
  for (; performance.now() < end; count += 16) for (let i = 0; i < 16; i++) read()
  const { user, system } = process.threadCpuUsage(start)
  return ((user + system) * 1_000) / count
}

/** Linear is a ratio of 2, quadratic one of 4. */
function growth(sizes: readonly Figures[]) {
  const ratios = sizes
    .slice(1)
    .map(({ ns_per_hello }, at) => ns_per_hello.median / (sizes[at]?.ns_per_hello.median ?? 0))
  return { sizes, time_for_twice_the_size: ratios.map((ratio) => Number(ratio.toFixed(2))) }
}
