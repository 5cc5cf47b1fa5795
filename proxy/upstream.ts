/** Dials a resource: the address is resolved once, checked, and that very address is dialled. */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Authority } from '../core/access/host-port.ts'
import { type AddressClass, classify, parseAddress, unwrap } from '../core/route/address.ts'
import type { Limits } from './limits.ts'
import { race } from './race.ts'
import { readingWith } from './reading.ts'
import type { DialCode } from './reasons.ts'

/** The message is for the person who waits: it names the resource's address, which he may see. */
export class DialFailure extends Error {
  override readonly name = 'DialFailure'
  readonly code: DialCode

  constructor(code: DialCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get status(): 502 | 504 {
    return this.code === 'upstream_too_slow' ? 504 : 502
  }
}

export type Target = Authority

export const inText = ({ host, port }: Target): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

export interface DialNeeds {
  readonly limits: Pick<Limits, 'dialOneMs' | 'dialNextMs'>
  /** Where this proxy itself listens: a tunnel into itself would hold two of its places, and again two. */
  readonly ownPorts: ReadonlySet<number>
}

/**
 * A name is resolved each time anew, and its addresses are raced: whichever answers first. `signal` ends it with the signal's reason.
 * @throws DialFailure
 */
export async function dial({ limits, ownPorts }: DialNeeds, target: Target, signal: AbortSignal): Promise<Socket> {
  const addresses = await orAborted(resolve(target, ownPorts), signal)
  const attempts = interleaved(addresses).map(
    (host) => (over: AbortSignal) => dialOne({ ...target, host }, limits.dialOneMs, over),
  )
  const dialled = await race(attempts, limits.dialNextMs, signal)
  signal.throwIfAborted()
  if (dialled && !(dialled instanceof Error)) return dialled
  if (dialled) throw failureOf(target, dialled)
  throw new DialFailure('upstream_name_unknown', `No address is known for ${inText(target)}.`)
}

/** The families in turn, the resolver's first choice first (RFC 8305 section 4): one that leads nowhere costs one step. */
export function interleaved(addresses: readonly string[]): readonly string[] {
  const [first = ''] = addresses
  const isSame = (address: string) => isIP(address) === isIP(first)
  const [same, other] = [addresses.filter(isSame), addresses.filter((address) => !isSame(address))]
  return [...same, ...other].flatMap((_, at) => [same[at], other[at]].filter((one) => one !== undefined))
}

/** Whatever cannot be called off itself, such as a question to the resolver. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    const leave = () => fail(signal.reason as Error)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    work.then(done, fail).finally(() => signal.removeEventListener('abort', leave))
  })
}

async function resolve(target: Target, ownPorts: ReadonlySet<number>): Promise<readonly string[]> {
  const { host } = target
  const found: readonly LookupAddress[] = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await lookup(host, { all: true, verbatim: true }).catch((cause: { code?: string }) => {
        const why = `${inText(target)}: its name cannot be resolved (${cause.code})`
        throw new DialFailure('upstream_name_unknown', `The database is not found at ${why}.`, { cause })
      })
  const addresses = found.map(({ address }) => address)
  for (const address of addresses) requireDialable(address, target, ownPorts)
  return addresses
}

/**
 * An administrator has named the resource, so private networks are fine. What a name may not lead to, though whoever answers for
 * that name would like it: services that hand out credentials, what is no host, and this proxy.
 */
const never: ReadonlySet<AddressClass> = new Set(['metadata', 'unspecified', 'multicast', 'reserved', 'documentation'])

function requireDialable(address: string, target: Target, ownPorts: ReadonlySet<number>): void {
  // A zone (fe80::1%eth0) says by which interface, not where.
  const parsed = parseAddress(address.split('%', 1)[0] as string)
  const kind = parsed ? classify(parsed) : 'reserved'
  const isNamed = address === target.host && kind !== 'unspecified'
  if (never.has(kind) && !isNamed) {
    throw new DialFailure(
      'upstream_address_refused',
      `${inText(target)} leads to a ${kind} address, which is not dialled.`,
    )
  }
  if (parsed && ownPorts.has(target.port) && isOwn(parsed, kind)) {
    throw new DialFailure('upstream_address_refused', `${inText(target)} is this proxy itself.`)
  }
}

function isOwn(address: Uint8Array, kind: AddressClass): boolean {
  const wanted = String(unwrap(address))
  const ours = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  return (
    kind === 'loopback' || ours.some((one) => String(parseAddress(one.address.split('%', 1)[0] as string)) === wanted)
  )
}

export function dialOne({ host, port }: Target, ms: number, signal: AbortSignal): Promise<Socket | Error> {
  return new Promise((done) => {
    const options = { host, port, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }
    const socket = readingWith((onread) => connect({ ...options, onread }))
    const end = (outcome: Socket | Error) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
      socket.off('connect', connected).off('error', end)
      // Never nobody's: an error without a listener would end the process.
      socket.on('error', () => socket.destroy())
      if (outcome instanceof Error) socket.destroy()
      done(outcome)
    }
    const late = () => end(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    const leave = () => end(new Error('aborted'))
    const connected = () => end(socket)
    const timer = setTimeout(late, ms)
    socket.once('connect', connected)
    socket.once('error', end)
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
  })
}

function failureOf(target: Target, cause: Error & { code?: string }): DialFailure {
  const at = inText(target)
  if (cause.code === 'ETIMEDOUT')
    return new DialFailure('upstream_too_slow', `The database at ${at} does not answer.`, { cause })
  const why = cause.code === 'ECONNREFUSED' ? 'the connection is refused' : String(cause.code ?? cause.message)
  return new DialFailure('upstream_unreachable', `The database cannot be reached at ${at}: ${why}.`, { cause })
}
