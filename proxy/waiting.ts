/** Connections that wait while their user taps: so many for one user, so that a stolen token holds few places. */
import type { UserId } from '../core/model.ts'
import type { Connection } from './connection.ts'

export interface Waiting {
  /** Whether there is a place. Who has one keeps it. */
  take(user: UserId, connection: Connection): boolean
  leave(connection: Connection): void
}

export function makeWaiting(mostOfOne: number): Waiting {
  const places = new Map<UserId, Set<Connection>>()
  const users = new Map<Connection, UserId>()
  const leave = (connection: Connection) => {
    const user = users.get(connection)
    if (user === undefined) return
    users.delete(connection)
    const held = places.get(user)
    held?.delete(connection)
    if (held?.size === 0) places.delete(user)
  }
  return {
    leave,
    take: (user, connection) => {
      if (users.get(connection) === user) return true
      if (users.has(connection)) return false
      const held = places.get(user) ?? new Set()
      if (held.size >= mostOfOne) return false
      places.set(user, held.add(connection))
      users.set(connection, user)
      connection.raw.once('close', () => leave(connection))
      return true
    },
  }
}
