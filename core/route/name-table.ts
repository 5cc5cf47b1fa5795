/**
 * Server names and where each leads, exactly and by wildcard, for tables of a hundred thousand. What a look-up costs there is memory that is
 * not in the processor's caches: a Map of strings has three to five such places for each name, this has two, and makes no string.
 */

/** Of a slot: hash, place of the name's bytes, their count with the kind, value. */
const words = 4
const [exact, wild] = [0x9e3779b9 | 0, 0x85ebca6b | 0]
const dot = 0x2e
const step = 0x01000193

export class NameTable {
  readonly #slots: Int32Array
  readonly #mask: number
  readonly #bytes: Uint8Array

  /** Names as routed (core/route/name.ts), `*.` before those that stand for one label; each once, with a number from 0 on. */
  constructor(names: ReadonlyMap<string, number>) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(names.size, 1) * 2))
    this.#slots = new Int32Array(capacity * words)
    this.#mask = capacity - 1
    let length = 0
    for (const name of names.keys()) length += name.length
    this.#bytes = new Uint8Array(length)
    let at = 0
    for (const [name, value] of names) at = this.#add(name, value, at)
  }

  #add(name: string, value: number, at: number): number {
    const isWild = name.startsWith('*.')
    const spelled = isWild ? name.slice(2) : name
    for (let i = 0; i < spelled.length; i++) this.#bytes[at + i] = spelled.charCodeAt(i)
    let hash = 0
    for (let i = spelled.length - 1; i >= 0; i--) hash = Math.imul(hash ^ spelled.charCodeAt(i), step)
    const mixed = mix(hash ^ (isWild ? wild : exact))
    let slot = mixed & this.#mask
    while (this.#slots[slot * words + 2] !== 0) slot = (slot + 1) & this.#mask
    // No name is empty, so what is taken has a count.
    this.#slots.set([mixed, at, spelled.length * 2 + (isWild ? 1 : 0), value], slot * words)
    return at + spelled.length
  }

  /** The value of the name itself, or else of the wildcard for its first label; -1 for neither. */
  find(name: string): number {
    // From behind, so that one pass has the hash of all behind the first label too.
    let hash = 0
    let rest = 0
    let from = 0
    for (let i = name.length - 1; i >= 0; i--) {
      const code = name.charCodeAt(i)
      if (code === dot) {
        rest = hash
        from = i + 1
      }
      hash = Math.imul(hash ^ code, step)
    }
    const found = this.#look(name, 0, mix(hash ^ exact), 0)
    return found >= 0 || from === 0 ? found : this.#look(name, from, mix(rest ^ wild), 1)
  }

  #look(name: string, from: number, hash: number, kind: 0 | 1): number {
    const slots = this.#slots
    const count = (name.length - from) * 2 + kind
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * words
      if (slots[at + 2] === 0) return -1
      if (slots[at] === hash && slots[at + 2] === count && this.#isAt(slots[at + 1] as number, name, from))
        return slots[at + 3] as number
    }
  }

  #isAt(at: number, name: string, from: number): boolean {
    const bytes = this.#bytes
    for (let i = from; i < name.length; i++) if (bytes[at + i - from] !== name.charCodeAt(i)) return false
    return true
  }
}

/** Of MurmurHash3: each bit of the answer hangs on each of the question. */
function mix(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return second ^ (second >>> 16)
}
