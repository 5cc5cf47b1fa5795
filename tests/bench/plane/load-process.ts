/** The load, a process of its own: does one thing after the other that its parent asks for, and answers each with its figures. */
import process from 'node:process'
import { percentile } from '../statistics.ts'
import type { Link } from './link.ts'
import { discover, type Opener, openerOf, type Reach } from './openers.ts'
import { serveParent, tell } from './parent.ts'
import { lastPiece, note, type Part, piece, pieceLength, readReceipt } from './wire.ts'

export type Asked =
  | { readonly what: 'reach'; readonly reach: Reach }
  | { readonly what: 'discover'; readonly reach: Extract<Reach, { by: 'grant' }> }
  /** Holds so many connections; no more than `atOnce` are opened at a time. */
  | { readonly what: 'hold'; readonly part: Part; readonly count: number; readonly atOnce: number }
  | { readonly what: 'release' }
  /** Opens and closes, `atOnce` at a time. */
  | { readonly what: 'openings'; readonly ms: number; readonly atOnce: number }
  /** Over the connections that are held. */
  | { readonly what: 'upload' | 'download' | 'to_and_fro'; readonly ms: number }

/** Times in ms. */
export interface Done {
  readonly ms: number
  readonly bytes?: number
  readonly count?: number
  readonly p50?: number
  readonly p99?: number
  readonly answer?: unknown
}

let opener: Opener | undefined
let held: Link[] = []
const now = () => performance.now()

serveParent()
process.on('message', (asked: Asked) => void work(asked).then(tell))

async function work(asked: Asked): Promise<Done> {
  if (asked.what === 'reach') opener = openerOf(asked.reach)
  else if (asked.what === 'discover') return { ms: 0, answer: await discover(asked.reach) }
  else if (asked.what === 'hold') held = await hold(asked.part, asked.count, asked.atOnce)
  else if (asked.what === 'openings') return openings(asked.ms, asked.atOnce)
  else if (asked.what === 'release') release()
  else return { upload, download, to_and_fro: toAndFro }[asked.what](asked.ms)
  return { ms: 0 }
}

const open = (part: Part): Promise<Link> => new Promise((done) => opener?.open(part, done))

async function hold(part: Part, count: number, atOnce: number): Promise<Link[]> {
  const links: Link[] = []
  let begun = 0
  const lane = async () => {
    while (begun < count) {
      begun++
      links.push(await open(part))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return links
}

function release(): void {
  for (const link of held) link.close()
  held = []
}

async function openings(ms: number, atOnce: number): Promise<Done> {
  const latencies: number[] = []
  const start = now()
  const lane = async () => {
    while (now() - start < ms && (opener?.left() ?? 0) > 0) {
      const began = now()
      const link = await open('echo')
      latencies.push(now() - began)
      link.close()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return inAll(now() - start, latencies)
}

/** Until the backend has said that the last byte came, and that none is missing. */
async function upload(ms: number): Promise<Done> {
  const start = now()
  const sent = await Promise.all(held.map((link) => uploadOver(link, start + ms)))
  return { ms: now() - start, bytes: sent.reduce((all, one) => all + one, 0) }
}

function uploadOver(link: Link, end: number): Promise<number> {
  const { socket } = link
  let sent = 0
  const more = () => {
    let goesOn = true
    while (goesOn && now() < end) {
      sent += pieceLength
      goesOn = socket.write(piece)
    }
    if (now() < end) return void socket.once('drain', more)
    sent += pieceLength
    socket.write(lastPiece)
  }
  return new Promise((done) => {
    link.next(readReceipt, (received) => {
      if (received !== sent) throw new Error(`${sent} bytes were sent, and ${received} came`)
      done(sent)
    })
    more()
  })
}

/** Looked at with each piece: a timer comes late where reading never pauses. */
async function download(ms: number): Promise<Done> {
  const start = now()
  let bytes = 0
  await new Promise<void>((done) => {
    for (const link of held) {
      link.take = ({ length }) => {
        bytes += length
        if (now() - start >= ms) done()
      }
      link.socket.write(note)
    }
  })
  const took = now() - start
  release()
  return { ms: took, bytes }
}

/** One note on its way for each connection. */
async function toAndFro(ms: number): Promise<Done> {
  const latencies: number[] = []
  const start = now()
  await Promise.all(held.map((link) => notesOver(link, start + ms, latencies)))
  return inAll(now() - start, latencies)
}

function notesOver(link: Link, end: number, latencies: number[]): Promise<void> {
  return new Promise((done) => {
    let back = 0
    let began = now()
    link.take = ({ length }) => {
      back += length
      if (back < note.length) return
      back = 0
      latencies.push(now() - began)
      began = now()
      if (began < end) link.socket.write(note)
      else done()
    }
    link.socket.write(note)
  })
}

function inAll(ms: number, latencies: readonly number[]): Done {
  const sorted = latencies.toSorted((a, b) => a - b)
  return { ms, count: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}
