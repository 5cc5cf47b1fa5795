import type { Connection } from './http.ts'
import type { Server } from './servers.ts'

/** One whole login on a connection, from asking for a challenge to holding a session cookie. */
export type Client = (connection: Connection) => Promise<void>

export type Command = { args: string[]; env: Record<string, string> }

export type Contender = {
  name: 'sallyport' | 'better_auth'
  /** `folder` is empty and its own: the server's database goes there. */
  command(folder: string, port: number): Command
  /** Waits until the server is up, then makes so many clients that can log in. */
  enroll(server: Server, port: number, clients: number): Promise<Client[]>
}

export type Running = { server: Server; port: number; clients: readonly Client[] }

/** What one round says of one contender. */
export type Figures = {
  logins_per_second: number
  p50_ms: number
  p99_ms: number
  server_cpu_ms_per_login: number
  load_cpu_ms_per_login: number
}

/** `verifies_per_second`: what one core could do just before, if a login were one signature verification. */
export type Round = { verifies_per_second: number; figures: ReadonlyMap<string, Figures> }

/** There are as many clients, each with its own passkey, as logins at a time. */
export type Settings = { concurrency: number; warmLogins: number; rounds: number; seconds: number; cpuProf: boolean }
