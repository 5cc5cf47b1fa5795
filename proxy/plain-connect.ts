/**
 * CONNECT in the clear, as `curl --proxy http://PROXY` and `ncat --proxy` say it. It leads to this very port and nowhere else: what follows is
 * read as a fresh connection, so a client reaches what it would reach without it. No credential is taken: anybody could have read it.
 */
import { utf8 } from '../core/lib/bytes.ts'
import { type ConnectHead, ConnectReader, connectEstablished } from '../core/route/connect.ts'
import { refuse, type Stage, type Step } from './first-bytes.ts'
import { answerBytes } from './heads.ts'
import type { CloseCode } from './reasons.ts'
import { inText, type Target } from './upstream.ts'

interface Needs {
  readonly isOurs: (target: Target) => boolean
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
    const why = this.#whyNot(value)
    if (why !== undefined) return told(why, inText(value.target))
    return { kind: 'answer', used, answer: connectEstablished, next: this.#needs.next() }
  }

  #whyNot({ target, proxyAuthorization, dpop }: ConnectHead): keyof typeof refusals | undefined {
    if (proxyAuthorization !== undefined || dpop !== undefined) return 'plain_credential'
    return this.#needs.isOurs(target) ? undefined : 'plain_connect'
  }
}

function told(code: keyof typeof refusals, detail: string): Step {
  const [status, error, message] = refusals[code]
  return refuse(code, detail, utf8(answerBytes(status, { error, message }, true)))
}
