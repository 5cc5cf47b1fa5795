/**
 * Reads big-endian fields of a message that is whole. A read beyond the end answers zero and is remembered, so a parser
 * reads straight on and asks `isBroken` once; nothing is left then, so no loop over what is left goes on.
 */
export class Cursor {
  readonly bytes: Uint8Array
  readonly to: number
  #at: number
  #isBroken = false

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes
    this.#at = from
    this.to = to
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.to - this.#at
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Ended where it should: every byte was read, and none beyond. */
  get isSpent(): boolean {
    return !this.#isBroken && this.#at === this.to
  }

  skip(length: number): void {
    this.#take(length)
  }

  u8(): number {
    const at = this.#take(1)
    return at < 0 ? 0 : (this.bytes[at] as number)
  }

  u16(): number {
    const at = this.#take(2)
    return at < 0 ? 0 : ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number)
  }

  u32(): number {
    return this.u16() * 65_536 + this.u16()
  }

  /** The next bytes under a cursor of their own. */
  within(length: number): Cursor {
    const at = this.#take(length)
    return at < 0 ? new Cursor(this.bytes, this.to, this.to) : new Cursor(this.bytes, at, at + length)
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.to - at) {
      this.#isBroken = true
      this.#at = this.to
      return -1
    }
    this.#at = at + length
    return at
  }
}
