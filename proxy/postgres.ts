/** What the proxy itself says and reads of Postgres: TLS towards the server, the client's first message, and how far an answer has got. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DbDocument } from '../core/access/db.ts'
import { splitHostPort } from '../core/access/host-port.ts'
import type { DbPrincipal } from '../core/access/resource.ts'
import { textOf } from '../core/lib/bytes.ts'
import { Growing } from '../core/lib/growing.ts'
import { type ParsedPostgres, type PostgresFirst, parsePostgres, type sqlStates } from '../core/route/postgres.ts'
import type { Credential } from './database-credentials.ts'
import type { DialCode } from './reasons.ts'
import { DialFailure, inText, orAborted } from './upstream.ts'
import { handshake, verification } from './upstream-tls.ts'

const sslRequest = new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
const [yes, no] = [0x53, 0x4e]

/** Asks the server for TLS and verifies it as the resource says. @throws DialFailure, or the signal's reason */
export async function secure(
  raw: Socket,
  { spec }: DbDocument,
  signal: AbortSignal,
  certificate?: Credential['certificate'],
): Promise<Duplex> {
  const target = splitHostPort(spec.uri)
  const at = inText(target)
  raw.write(sslRequest)
  const answer = await orAborted(oneByte(raw, at), signal)
  if (answer === yes)
    return orAborted(handshake(raw, { ...verification(spec.tls, target.host), ...certificate }, at), signal)
  if (answer !== no) throw fail('upstream_no_postgres', `What answers at ${at} is no Postgres server.`)
  if (spec.tls.mode === 'insecure') return raw
  throw fail(
    'upstream_no_tls',
    `The database at ${at} offers no TLS, and its resource asks for tls.mode ${spec.tls.mode}.`,
  )
}

/** Asks a server that is behind a passthrough, on the client's behalf, behind what goes `before`: whatever it answers but yes ends it. @throws DialFailure, or the signal's reason */
export async function askForTls(raw: Socket, at: string, signal: AbortSignal, before: Uint8Array): Promise<void> {
  try {
    raw.write(before)
    raw.write(sslRequest)
    const answer = await orAborted(oneByte(raw, at), signal)
    if (answer === yes) return
    if (answer === no) throw fail('upstream_no_tls', `The database at ${at} offers no TLS.`)
    throw fail('upstream_no_postgres', `What answers at ${at} is no Postgres server.`)
  } catch (error) {
    raw.destroy()
    throw error
  }
}

const fail = (code: DialCode, message: string, cause?: unknown) => new DialFailure(code, message, { cause })

/** Exactly one: what came with it would count as if it had come through TLS (CVE-2021-23222). */
function oneByte(raw: Socket, at: string): Promise<number> {
  return new Promise((done, refuse) => {
    const gone = () => refuse(fail('upstream_no_postgres', `What answers at ${at} ended the connection.`))
    raw.once('end', gone).once('close', gone)
    raw.once('readable', () => {
      const bytes = raw.read() as Buffer | null
      // 'readable' is also how an end is told.
      if (!bytes) return
      raw.off('end', gone).off('close', gone)
      if (bytes.length === 1) done(bytes[0] as number)
      else refuse(fail('upstream_no_postgres', `What answers at ${at} speaks before it is asked.`))
    })
  })
}

export interface FirstMessage {
  readonly first: PostgresFirst
  /** All that came so far, for the server. */
  readonly bytes: Uint8Array
}

/** undefined: the client ended before it was whole. A string: why it is none. */
export function readFirst(client: Duplex): Promise<FirstMessage | string | undefined> {
  const collected = new Growing()
  let parsed: ParsedPostgres = parsePostgres(collected.bytes)
  return new Promise((done) => {
    const end = (outcome: FirstMessage | string | undefined) => {
      client.pause().off('data', take).off('end', gone).off('close', gone)
      done(outcome)
    }
    const gone = () => end(undefined)
    const take = (piece: Buffer) => {
      collected.append(piece)
      if (parsed.kind === 'more' && collected.length < parsed.atLeast) return
      parsed = parsePostgres(collected.bytes)
      if (parsed.kind === 'invalid') end(parsed.why)
      else if (parsed.kind === 'value') end({ first: parsed.value, bytes: collected.bytes })
    }
    client.on('data', take).once('end', gone).once('close', gone)
    client.resume()
  })
}

/** AuthenticationCleartextPassword: within TLS alone. */
export const askPassword = new Uint8Array([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
const longestPassword = 1024

/** One PasswordMessage and nothing behind it. undefined: something else, or the client has gone. */
export function readPassword(client: Duplex): Promise<string | undefined> {
  const collected = new Growing()
  return new Promise((done) => {
    const end = (outcome: string | undefined) => {
      client.pause().off('data', take).off('end', gone).off('close', gone)
      done(outcome)
    }
    const gone = () => end(undefined)
    const take = (piece: Buffer) => {
      collected.append(piece)
      const { bytes } = collected
      if (bytes[0] !== 0x70 || bytes.length > longestPassword) return end(undefined)
      if (bytes.length < 5) return
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1) + 1
      if (length > longestPassword || length < 6 || bytes.length > length) return end(undefined)
      if (bytes.length === length) end(bytes[length - 1] === 0 ? textOf(bytes.slice(5, -1)) : undefined)
    }
    client.on('data', take).once('end', gone).once('close', gone)
    client.resume()
  })
}

/** What whoever sends something else is told. */
export const noStartup = (why: string) =>
  ['protocolViolation', `This is no Postgres startup message (${why}).`] as const

/** What the client is told; undefined: it asks for what was granted, or to cancel a query, which carries a secret of its own. */
export function whyNotAdmitted(
  first: PostgresFirst,
  { db_user, db_name }: DbPrincipal,
): readonly [keyof typeof sqlStates, string] | undefined {
  if (first.kind === 'cancel') return undefined
  if (first.kind !== 'startup')
    return ['protocolViolation', 'TLS ends at the Sallyport command: begin with the startup message.']
  const { user, database, replication } = first.startup
  if (replication) return ['invalidAuthorization', 'Replication is not part of a session through Sallyport.']
  if (user === db_user && database === db_name) return undefined
  return [
    'invalidAuthorization',
    `This session was granted for the user "${db_user}" and the database "${db_name}", not for "${user}" and "${database}".`,
  ]
}

/** BackendKeyData: with it the client asks to cancel a query. Since protocol 3.2 it has up to 260 bytes. */
const keyData = 0x4b
const longestKey = 260

/** Follows the server's messages (a type, a length, a body), to know whether one is half sent, and the key of the session. */
export class Messages {
  readonly #heardKey: (key: Uint8Array) => void
  #type = 0
  /** Of the key's message, what came so far. */
  #key: Growing | undefined
  /** Of the message's first five bytes, how many came. */
  #seen = 0
  #length = 0
  #bodyLeft = 0
  #isUnknown = false

  constructor(heardKey: (key: Uint8Array) => void = () => undefined) {
    this.#heardKey = heardKey
  }

  follow(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, bytes.length - at)
        this.#key?.append(bytes.subarray(at, at + step))
        this.#bodyLeft -= step
        at += step
        this.#endBody()
      } else this.#head(bytes[at++] as number)
    }
  }

  #endBody(): void {
    if (this.#bodyLeft > 0 || !this.#key) return
    this.#heardKey(this.#key.bytes)
    this.#key = undefined
  }

  #head(byte: number): void {
    this.#seen += 1
    if (this.#seen === 1) this.#type = byte
    if (this.#seen > 1) this.#length = this.#length * 256 + byte
    if (this.#seen < 5) return
    // It counts itself. Less than that is none of this protocol, and nothing that follows can be told apart.
    if (this.#length < 4) this.#isUnknown = true
    this.#bodyLeft = Math.max(0, this.#length - 4)
    const isKey = this.#type === keyData && this.#bodyLeft > 0 && this.#bodyLeft <= longestKey
    this.#key = isKey ? new Growing() : undefined
    this.#seen = 0
    this.#length = 0
  }

  /** Another message may stand here. */
  get isBetween(): boolean {
    return !this.#isUnknown && this.#seen === 0 && this.#bodyLeft === 0
  }
}
