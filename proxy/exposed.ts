/** A credential that came in the clear: whoever was on the way has it now. A grant is of no use to him; a word would be. */
import { Refusal } from '../core/refusal.ts'
import { passwordIn } from '../core/route/basic.ts'
import type { Bearers } from './bearers.ts'
import type { Connection } from './connection.ts'
import type { Events } from './events.ts'

/** Ends the connection, with `answer` for its client. */
export type Exposed = (connection: Connection, credential: string, answer: Uint8Array) => void

interface Needs {
  readonly bearers: Pick<Bearers, 'burn'>
  readonly events: Pick<Events, 'tell'>
}

export const makeExposed =
  ({ bearers, events }: Needs): Exposed =>
  (connection, credential, answer) => {
    const word = passwordIn(credential)
    const burnt = word === undefined ? undefined : bearers.burn(word)
    if (burnt) {
      const { code, detail } = new Refusal('grant_invalid', { why: 'word_in_the_clear' })
      const { grant } = burnt
      events.tell({ kind: 'session.refuse', session: grant.id, grant, address: connection.address, code, detail })
    }
    connection.refuse('plain_credential', undefined, answer)
  }
