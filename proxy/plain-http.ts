/**
 * Requests in the clear, such as `curl --proxy http://PROXY http://NAME/` makes. Nothing is served so. Their heads are read for one thing: a
 * word that was sent in the clear must open nothing any more, and its sender should hear why.
 */
import { utf8 } from '../core/lib/bytes.ts'
import { latin1 } from '../core/lib/latin1.ts'
import type { Exposed } from './exposed.ts'
import { refuse, type Stage, type Step } from './first-bytes.ts'
import { answerBytes } from './heads.ts'

interface Needs {
  /** Of somebody's credential, which anybody could have read. */
  readonly exposed: Exposed
}

const maxHeadBytes = 16_384
/** However it is written: what is found is refused, and not believed. */
const credentialField = /^proxy-authorization[ \t]*:(.*)$/im
const endOfHead = /\n\r?\n/
const message =
  'The credential was sent in the clear and is not taken: use https:// as proxy address, and ask for a new one.'

export class PlainHttp implements Stage {
  readonly #needs: Needs
  #head = ''

  constructor(needs: Needs) {
    this.#needs = needs
  }

  push(piece: Uint8Array): Step {
    const before = this.#head.length
    this.#head += latin1(piece.subarray(0, maxHeadBytes - before))
    // Only what is new is looked at: a head that comes byte by byte costs what it costs in one piece.
    const isWhole = endOfHead.test(this.#head.slice(Math.max(0, before - 3)))
    if (!isWhole && this.#head.length < maxHeadBytes) return { kind: 'more' }
    const [, credential] = credentialField.exec(this.#head) ?? []
    if (credential === undefined) return refuse('plain_http')
    const answer = utf8(answerBytes(403, { error: 'credential_in_the_clear', message }, true))
    return { kind: 'take', take: (connection) => this.#needs.exposed(connection, credential.trim(), answer) }
  }
}
