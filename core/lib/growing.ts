/** Bytes that come in pieces. Doubling makes a thousand pieces of one byte cost as much as one of a thousand. */
export class Growing {
  #bytes = new Uint8Array(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) this.#grow(length)
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** A view, good until the next `append`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, this.#bytes.length * 2))
    grown.set(this.bytes)
    this.#bytes = grown
  }
}
