import type { Connection } from './http.ts'
import type { Server } from './servers.ts'

/** One whole unit of work on a connection, such as a login: from asking for a challenge to holding a session cookie. */
export type Client = (connection: Connection) => Promise<void>

export type Command = { args: string[]; env: Record<string, string> }

/** `Enrolled`: what those who are served are made of, such as passkeys that can log in. */
export type Contender<Enrolled> = {
  name: string
  /** Why it cannot be measured on this machine. */
  missing?(): string | undefined
  /** Where its folder is made, where that is not the disk. */
  parent?: string
  /** `folder` is empty and its own: the server's database goes there. */
  command(folder: string, port: number): Command
  /** Waits until the server is up, then makes enough for so many clients at a time. */
  enroll(server: Server, port: number, clients: number): Promise<Enrolled>
}

export type Running<Enrolled> = { name: string; server: Server; port: number; enrolled: Enrolled }

/** What is measured without a pause. `enough` is told how many units have begun, and for how many ms it goes on. */
export type Stretch = { clients: readonly Client[]; enough: (begun: number, elapsed: number) => boolean }

/** What is measured of each contender in turn. What a stretch uses up is made before it. */
export type Discipline<Enrolled> = {
  unit: Unit
  warmUp(running: Running<Enrolled>): Promise<Stretch>
  stretch(running: Running<Enrolled>): Promise<Stretch>
}

/** Names the figures: `logins_per_second`, `server_cpu_ms_per_login`. */
export type Unit = { one: string; many: string }
