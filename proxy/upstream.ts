/** Dials a resource, or a host that a role names: the address is resolved once, checked, and that very address is dialled. */
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Authority } from '../core/access/host-port.ts'
import { type Address, type AddressClass, classify, parseAddress, unwrap } from '../core/route/address.ts'
import type { Limits } from './limits.ts'
import { race } from './race.ts'
import { readingWith } from './reading.ts'
import type { DialCode } from './reasons.ts'

/** The message is for the person who waits: it names the resource's address, which he may see. */
export class DialFailure extends Error {
  override readonly name = 'DialFailure'
  readonly code: DialCode
  /** For the log and the audit alone. */
  readonly detail: string | undefined

  constructor(code: DialCode, message: string, { detail, ...options }: ErrorOptions & { detail?: string } = {}) {
    super(message, options)
    this.code = code
    this.detail = detail
  }

  get status(): 403 | 502 | 504 {
    if (this.code === 'address_not_allowed') return 403
    return this.code === 'upstream_too_slow' ? 504 : 502
  }
}

export type Target = Authority

export const inText = ({ host, port }: Target): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

export interface DialNeeds {
  readonly limits: Pick<Limits, 'dialOneMs' | 'dialNextMs'>
  /** Where this proxy itself listens: a tunnel into itself would hold two of its places, and again two. */
  readonly ownPorts: ReadonlySet<number>
  /** Of a host that nobody made a resource: its addresses are judged one by one, and those that may not be reached are not dialled. */
  readonly mayReach?: ((address: Address) => boolean) | undefined
  readonly resolve?: Resolve | undefined
  /** For the person who waits. */
  readonly called?: string
}

/** The system's own, but where a test has another: all addresses of a name. @throws with a `code` */
export type Resolve = (host: string) => Promise<readonly string[]>

const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

/**
 * A name is resolved each time anew, and its addresses are raced: whichever answers first. `signal` ends it with the signal's reason.
 * @throws DialFailure
 */
export async function dial(needs: DialNeeds, target: Target, signal: AbortSignal): Promise<Socket> {
  const { limits, called = 'server' } = needs
  const addresses = await orAborted(resolve(needs, target), signal)
  const attempts = interleaved(addresses).map(
    (host) => (over: AbortSignal) => dialOne({ ...target, host }, limits.dialOneMs, over),
  )
  const dialled = await race(attempts, limits.dialNextMs, signal)
  signal.throwIfAborted()
  if (dialled && !(dialled instanceof Error)) return dialled
  if (dialled) throw failureOf(called, target, dialled)
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

async function resolve(needs: DialNeeds, target: Target): Promise<readonly string[]> {
  const { ownPorts, mayReach, called = 'server', resolve: ask = systemResolve } = needs
  const { host } = target
  const addresses = isIP(host)
    ? [host]
    : await ask(host).catch((cause: { code?: string }) => {
        const why = `${inText(target)}: its name cannot be resolved (${cause.code})`
        throw new DialFailure('upstream_name_unknown', `The ${called} is not found at ${why}.`, { cause })
      })
  if (mayReach) return reachable(addresses, target, needs.ownPorts, mayReach)
  for (const address of addresses) requireDialable(address, target, ownPorts)
  return addresses
}

/** What the client is told is the same whatever the addresses are: where a name leads is not his to learn. */
function reachable(
  addresses: readonly string[],
  target: Target,
  ownPorts: ReadonlySet<number>,
  mayReach: (address: Address) => boolean,
): readonly string[] {
  const allowed = addresses.filter((address) => {
    const parsed = parseAddress(address)
    return parsed && mayReach(parsed) && !(ownPorts.has(target.port) && isOwn(parsed, classify(parsed)))
  })
  if (allowed.length > 0 || addresses.length === 0) return allowed
  const message = `${inText(target)} leads to no address that your roles allow.`
  throw new DialFailure('address_not_allowed', message, { detail: addresses.map(classified).join(', ') })
}

function classified(address: string): string {
  const parsed = parseAddress(address.split('%', 1)[0] as string)
  return `${address} (${parsed ? classify(parsed) : 'no address'})`
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

function failureOf(called: string, target: Target, cause: Error & { code?: string }): DialFailure {
  const at = inText(target)
  if (cause.code === 'ETIMEDOUT')
    return new DialFailure('upstream_too_slow', `The ${called} at ${at} does not answer.`, { cause })
  const why = cause.code === 'ECONNREFUSED' ? 'the connection is refused' : String(cause.code ?? cause.message)
  return new DialFailure('upstream_unreachable', `The ${called} cannot be reached at ${at}: ${why}.`, { cause })
}
