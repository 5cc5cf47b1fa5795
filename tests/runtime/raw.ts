/** One request as bytes, for what no HTTP client sends. */
import { connect } from 'node:net'

/** Sends the lines (an empty one ends the head) and answers all that comes back, or what came before the connection broke. */
export function raw(port: number, lines: readonly string[], patienceMs = 5000): Promise<string> {
  return new Promise((done) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(lines.join('\r\n')))
    const end = () => {
      socket.destroy()
      done(answer)
    }
    socket.setTimeout(patienceMs, end)
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part
    })
    socket.on('end', end).on('error', end)
  })
}
