/** One character a byte: what hostile bytes are before anything is known of them. No decoder that replaces or throws. */
export function latin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = ''
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i] as number)
  return text
}
