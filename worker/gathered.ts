import type { LogLine } from './edge.ts'

export interface GatheredLog {
  readonly log: (line: LogLine) => void
  /** Writes what has not been written yet. For the end of the process. */
  readonly flush: () => void
}

/**
 * One JSON object a line; the lines of one turn of the event loop in one write, which the server waits for. An error is written at once,
 * after what came before it.
 */
export function gathered(write: (text: string) => void, later: (work: () => void) => void): GatheredLog {
  let text = ''
  const flush = () => {
    if (text === '') return
    const lines = text
    text = ''
    write(lines)
  }
  const log = ({ level, ...line }: LogLine) => {
    if (text === '') later(flush)
    text += `${JSON.stringify({ at: new Date().toISOString(), level, ...line })}\n`
    if (level === 'error') flush()
  }
  return { log, flush }
}
