/**
 * Reads a connection's first bytes until they tell whose it is, and puts them back: whoever takes it reads it from there on. The bytes are
 * bounded by what each stage takes, the time by the one deadline that the connection was accepted with.
 */
import type { Connection } from './connection.ts'
import { FirstBytes, type Stage, type Taker } from './first-bytes.ts'

/** Whoever takes it gets a socket that is paused. What is nobody's is closed, with its reason. */
export function peek(connection: Connection, stage: Stage): void {
  const { raw } = connection
  const first = new FirstBytes(stage)
  let silence: NodeJS.Timeout | undefined
  const stop = () => {
    clearTimeout(silence)
    raw.off('data', read).off('end', gone).off('error', reset).off('close', over).pause()
  }
  const take = (taker: Taker) => {
    stop()
    taker(connection)
  }
  const watch = () => {
    clearTimeout(silence)
    const { silence: rule } = first
    if (rule) silence = setTimeout(take, rule.afterMs, rule.take)
  }
  const read = (piece: Buffer) => {
    const step = first.push(piece)
    watch()
    if (step.kind === 'more') return
    if (step.kind === 'answer') return void raw.write(step.answer)
    stop()
    if (step.kind === 'refuse') return connection.refuse(step.why, step.detail, step.last)
    raw.unshift(first.bytes)
    take(step.take)
  }
  const gone = () => connection.refuse('client_gone')
  const reset = () => void connection.isOver('client_gone')
  const over = () => clearTimeout(silence)
  raw.on('data', read).once('end', gone).once('error', reset).once('close', over).resume()
  watch()
}
