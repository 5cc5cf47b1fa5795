/**
 * CONNECT in the clear, as `curl --proxy http://PROXY` and `ncat --proxy` say it. It leads to this very port and nowhere else: what follows is
 * read as a fresh connection, so a client reaches what it would reach without it. No credential is taken: anybody could have read it, so a word
 * that comes is used up.
 */
import { utf8 } from '../core/lib/bytes.ts'
import { ConnectReader, connectEstablished } from '../core/route/connect.ts'
import type { Exposed } from './exposed.ts'
import { refuse, type Stage, type Step } from './first-bytes.ts'
import { answerBytes } from './heads.ts'
import type { CloseCode } from './reasons.ts'
import { inText, type Target } from './upstream.ts'

interface Needs {
  readonly isOurs: (target: Target) => boolean
  readonly exposed: Exposed
  /** Of what follows the answer. */
  readonly next: () => Stage
}

/** What a client is told: status, wire word, and what to do. */
const refusals = {
  plain_connect: [403, 'tunnel_refused', 'Tunnels to others open inside TLS only: use https:// as proxy address.'],
  plain_connect_malformed: [
    400,
    'bad_request',
    'Send CONNECT HOST:PORT with HTTP/1.1, and one Host that says the same.',
  ],
  plain_credential: [
    403,
    'credential_in_the_clear',
    'The credential was sent in the clear and is not taken: use https:// as proxy address, and ask for a new one.',
  ],
} as const satisfies { readonly [code in CloseCode]?: readonly [status: number, word: string, remedy: string] }

export class PlainConnect implements Stage {
  readonly #reader = new ConnectReader()
  readonly #needs: Needs

  constructor(needs: Needs) {
    this.#needs = needs
  }

  push(piece: Uint8Array): Step {
    const parsed = this.#reader.push(piece)
    if (parsed.kind === 'more') return parsed
    if (parsed.kind === 'invalid') return told('plain_connect_malformed', parsed.why)
    const { value, used } = parsed
    const { target, proxyAuthorization: credential, dpop } = value
    if (credential !== undefined || dpop !== undefined) {
      const answer = answerOf('plain_credential')
      return { kind: 'take', take: (connection) => this.#needs.exposed(connection, credential ?? '', answer) }
    }
    if (!this.#needs.isOurs(target)) return told('plain_connect', inText(target))
    return { kind: 'answer', used, answer: connectEstablished, next: this.#needs.next() }
  }
}

function answerOf(code: keyof typeof refusals): Uint8Array {
  const [status, error, message] = refusals[code]
  return utf8(answerBytes(status, { error, message }, true))
}

const told = (code: keyof typeof refusals, detail: string): Step => refuse(code, detail, answerOf(code))
