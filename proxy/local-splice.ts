/** Two streams become one connection: bytes, half-closes and breaks of one side are those of the other. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Both allow half-open. Owns them from here on: when one is closed, so is the other, at once or as soon as it has said what is left. */
export function splice(local: Socket, tunnel: Duplex): void {
  // A clean end would look like the server's own word.
  join(tunnel, local, () => local.resetAndDestroy())
  join(local, tunnel, () => tunnel.destroy())
}

function join(from: Duplex, to: Duplex, breakOff: () => void): void {
  // Every error is followed by `close`. Without a listener it would end the process.
  from.on('error', () => undefined)
  from.once('close', () => {
    const isDone = from.readableEnded && from.writableFinished && !from.errored
    if (!isDone && !to.destroyed) breakOff()
  })
  from.pipe(to)
}
