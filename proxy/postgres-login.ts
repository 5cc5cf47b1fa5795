/** The proxy lets itself into a database in its client's place, with a password that the client never has. */
import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { printable } from '../core/access/place.ts'
import { type Bytes, concat, textOf, utf8 } from '../core/lib/bytes.ts'
import { parseCertificate } from '../core/lib/certificate.ts'
import { Growing } from '../core/lib/growing.ts'
import { latin1 } from '../core/lib/latin1.ts'
import { type ScramBinding, ScramClient } from '../core/lib/scram.ts'

/** `detail` is for the operator: what the server said. */
export class LoginFailure extends Error {
  override readonly name = 'LoginFailure'
}

export interface Login {
  readonly password: string
  /** Of the server's certificate (RFC 5929 section 4). undefined: it has none that such a hash is known for. */
  readonly endPoint: Bytes | undefined
  /** Nothing is said in the clear without TLS, nor to a server that nothing vouches for (tls.mode insecure): it may be anybody. */
  readonly isSecure: boolean
  readonly random: (length: number) => Uint8Array
}

/** What the connection to the server is by itself. */
export function endPointOf(stream: Duplex): Pick<Login, 'endPoint' | 'isSecure'> {
  if (!(stream instanceof TLSSocket)) return { endPoint: undefined, isSecure: false }
  const isSecure = stream.authorized
  const raw = stream.getPeerX509Certificate()?.raw
  const parsed = raw && parseCertificate(new Uint8Array(raw))
  const hash = parsed?.kind === 'value' ? parsed.value.scheme : undefined
  if (!raw || !hash || hash.kind === 'Ed25519') return { endPoint: undefined, isSecure }
  return {
    endPoint: new Uint8Array(createHash(hash.hash.replace('-', '').toLowerCase()).update(raw).digest()),
    isSecure,
  }
}

/** PostgreSQL, "Message Formats", AuthenticationRequest. */
const asks = { ok: 0, cleartext: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const
const longestMessage = 16_384
const mostMessages = 32

/**
 * The startup message is sent already. What the server says from its AuthenticationOk on is put back. Never answers where the
 * connection ends: whoever calls listens for that. @throws LoginFailure
 */
export async function logIn(stream: Duplex, login: Login): Promise<void> {
  const reader = new Messages(stream)
  try {
    reader.putBack(await converse(reader, stream, login))
  } finally {
    reader.stop()
  }
}

/** What is for the client: AuthenticationOk, and what the server said beside the login. */
async function converse(reader: Messages, stream: Duplex, login: Login): Promise<Bytes> {
  const beside: Bytes[] = []
  let scram: ScramClient | undefined
  let isProven = true
  for (let count = 0; count < mostMessages; count++) {
    const { type, body, whole } = await reader.next()
    if (type === 'E') throw new LoginFailure(`the server refuses it: ${errorIn(body)}`)
    if (type === 'v' || type === 'N') {
      beside.push(whole)
      continue
    }
    if (type !== 'R' || body.length < 4) throw new LoginFailure('what answers is no Postgres server')
    const ask = new DataView(body.buffer, body.byteOffset).getUint32(0)
    const said = body.slice(4)
    if (ask === asks.ok && isProven) return concat(...beside, whole)
    if (ask === asks.ok) throw new LoginFailure('the server did not show that it knows the password')
    if (ask === asks.cleartext) stream.write(cleartext(login))
    else if (ask === asks.sasl) {
      isProven = false
      const begun = beginScram(said, login)
      scram = begun.scram
      stream.write(begun.message)
    } else if (ask === asks.saslContinue && scram) stream.write(await answerScram(scram, said))
    else if (ask === asks.saslFinal && scram?.isServer(textOf(said) ?? '')) isProven = true
    else throw new LoginFailure(whyNot(ask))
  }
  throw new LoginFailure('the server comes to no end')
}

const whyNot = (ask: number): string => {
  if (ask === asks.md5)
    return 'the server asks for an md5 password, which is not safe: set password_encryption to scram-sha-256'
  if (ask === asks.saslFinal) return 'the signature of the server is wrong: it does not know the password'
  return `the server asks for something that is not known here (${ask})`
}

function cleartext({ password, isSecure }: Login): Bytes {
  if (!isSecure)
    throw new LoginFailure('the server asks for the password in the clear, and no TLS that is verified hides it')
  return messageOf(utf8(`${password}\0`))
}

const [plain, plus] = ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']

function beginScram(said: Bytes, { password, endPoint, random }: Login) {
  const offered = (textOf(said) ?? '').split('\0')
  const binding: ScramBinding = !endPoint
    ? { kind: 'none' }
    : offered.includes(plus)
      ? { kind: 'offered', data: endPoint }
      : { kind: 'unoffered' }
  const mechanism = binding.kind === 'offered' ? plus : plain
  if (!offered.includes(mechanism)) throw new LoginFailure('the server offers no SCRAM-SHA-256')
  const nonce = Buffer.from(random(18)).toString('base64')
  const scram = new ScramClient(password, nonce, binding)
  const first = utf8(scram.first)
  return { scram, message: messageOf(concat(utf8(`${mechanism}\0`), u32(first.length), first)) }
}

async function answerScram(scram: ScramClient, said: Bytes): Promise<Bytes> {
  const final = await scram.final(textOf(said) ?? '')
  if (final === undefined) throw new LoginFailure('the server’s SCRAM is not sound')
  return messageOf(utf8(final))
}

function u32(number: number): Bytes {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

/** PasswordMessage, SASLInitialResponse, SASLResponse: one letter. */
const messageOf = (body: Uint8Array): Bytes => concat(utf8('p'), u32(body.length + 4), body)

/** The fields M and C of an ErrorResponse. */
function errorIn(body: Bytes): string {
  const fields = latin1(body).split('\0')
  const field = (letter: string) => fields.find((one) => one.startsWith(letter))?.slice(1) ?? ''
  return printable(`${field('M')} (${field('C')})`, 300)
}

interface Message {
  readonly type: string
  readonly body: Bytes
  readonly whole: Bytes
}

/** A server's messages, one after the other. */
class Messages {
  readonly #stream: Duplex
  #bytes = new Growing()
  #wake: () => void = () => undefined
  readonly #take = (piece: Buffer) => {
    this.#bytes.append(piece)
    this.#wake()
  }

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('data', this.#take).resume()
  }

  async next(): Promise<Message> {
    for (;;) {
      const found = this.#parse()
      if (found) return found
      await new Promise<void>((done) => {
        this.#wake = done
      })
    }
  }

  #parse(): Message | undefined {
    const { bytes } = this.#bytes
    if (bytes.length < 5) return undefined
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1) + 1
    if (length < 5 || length > longestMessage) throw new LoginFailure('what answers is no Postgres server')
    if (bytes.length < length) return undefined
    const whole = bytes.slice(0, length)
    this.#bytes = new Growing()
    this.#bytes.append(bytes.slice(length))
    return { type: String.fromCharCode(whole[0] as number), body: whole.slice(5), whole }
  }

  /** In front of what came after it. */
  putBack(first: Bytes): void {
    this.stop()
    this.#stream.unshift(concat(first, this.#bytes.bytes))
  }

  stop(): void {
    this.#stream.off('data', this.#take).pause()
  }
}
