/** What a client says to the local proxy before its session is open, where nobody looks at it. */
import type { Socket } from 'node:net'
import { concat } from '../core/lib/bytes.ts'

export interface HeldBytes {
  /** Nobody waits for an answer: the connection is closed, or it ended without a word. */
  readonly gone: AbortSignal
  /** It will say no more. Whether it still reads shows only when it is answered. */
  readonly ended: AbortSignal
  /** What it has said. The socket is paused, with nothing lost. */
  release(): Uint8Array
}

/** What is beyond waits in the kernel. */
const most = 65_536

/** Reads, because an end is heard only by who reads. */
export function holdBytes(socket: Socket): HeldBytes {
  const [gone, ended] = [new AbortController(), new AbortController()]
  let bytes = new Uint8Array()
  const read = (part: Uint8Array) => {
    bytes = concat(bytes, part)
    if (bytes.length >= most) socket.pause()
  }
  const end = () => {
    ended.abort()
    if (bytes.length === 0) gone.abort()
  }
  const close = () => {
    ended.abort()
    gone.abort()
  }
  if (socket.destroyed) close()
  socket.on('data', read).once('end', end).once('close', close)
  const release = () => {
    socket.off('data', read).off('end', end).off('close', close).pause()
    return bytes
  }
  return { gone: gone.signal, ended: ended.signal, release }
}
