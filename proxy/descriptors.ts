/**
 * How many descriptors this process may have, and limits that stay below. Without one left libuv accepts whoever comes and closes him at
 * once, and says so to nobody; nothing can be dialled then, and no file read. So strangers make room for others before it comes to that.
 */
import { readFileSync } from 'node:fs'
import type { Limits } from './limits.ts'

/** Node's own, listeners, files that are read, questions to a resolver. */
const reserved = 64

/** That of Linux, to which Node has raised it; undefined where it cannot be known. */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/** A quarter for strangers, an eighth for the edge, the rest for sessions and relays, which have two each. */
export function withinDescriptors(limits: Limits, most: number | undefined): Limits {
  if (most === undefined) return limits
  const room = Math.max(most - reserved, reserved)
  const share = (limit: number, part: number) => Math.min(limit, Math.max(1, Math.floor(room * part)))
  const relays = share(limits.relays, 5 / 32)
  return {
    ...limits,
    connections: share(limits.connections, 1 / 4),
    edgeSockets: share(limits.edgeSockets, 1 / 8),
    sessions: share(limits.sessions, 5 / 32),
    relays,
    // As by default: one network leaves room for three others.
    relaysOfOneNetwork: Math.min(limits.relaysOfOneNetwork, Math.max(1, Math.floor(relays / 4))),
  }
}
