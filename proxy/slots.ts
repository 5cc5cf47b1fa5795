/**
 * Places for connections that have proven nothing yet: so many in all, and so many for one network. Whoever comes gets one. Where
 * none is free, the network that has the most makes room, by the one of its connections that has stood still the longest: so strangers
 * who only hold places lose them to each other, however many they are.
 */
import { networkOf } from '../core/lib/network.ts'
import type { CloseCode } from './reasons.ts'

export interface Slots {
  /** `lose`: called if another gets this place. It is free by then. `isTrusted`: for many others, so no limit of one network holds. */
  take(address: string, lose: (code: CloseCode) => void, isTrusted?: boolean): Place
}

export interface Place {
  /** It has got further: others have stood still for longer. */
  moved(): void
  /** It is of another network than it seemed, and counts there from now on, within the limit of one. */
  movesTo(address: string): void
  /** Gives it back, once. */
  leave(): void
}

interface Held {
  network: string
  readonly lose: (code: CloseCode) => void
  /** Counts up: whoever moved last has the highest. */
  since: number
}

export const makeSlots = (most: number, mostOfOne: number): Slots => new Places(most, mostOfOne)

class Places implements Slots {
  readonly #most: number
  readonly #mostOfOne: number
  /** Of each network, the one that has stood still the longest first. */
  readonly #networks = new Map<string, Set<Held>>()
  #all = 0
  #clock = 0

  constructor(most: number, mostOfOne: number) {
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  take(address: string, lose: Held['lose'], isTrusted = false): Place {
    const held: Held = { network: networkOf(address), lose, since: ++this.#clock }
    this.#enter(held, isTrusted ? this.#most : this.#mostOfOne)
    return {
      moved: () => this.#moved(held),
      movesTo: (to) => this.#movesTo(held, networkOf(to)),
      leave: () => void this.#remove(held),
    }
  }

  #enter(held: Held, mostOfOne: number): void {
    const own = this.#networks.get(held.network)
    if (own && own.size >= mostOfOne) this.#end(first(own), 'too_many_of_one_network')
    else if (this.#all >= this.#most) this.#end(first(this.#largest()), 'too_many_connections')
    this.#add(held)
  }

  #end(held: Held, code: CloseCode): void {
    this.#remove(held)
    held.lose(code)
  }

  /** Looked for only when all is full, among at most as many networks as there are places. */
  #largest(): ReadonlySet<Held> {
    let largest: ReadonlySet<Held> = new Set()
    for (const set of this.#networks.values()) {
      const isStiller = set.size === largest.size && first(set).since < first(largest).since
      if (set.size > largest.size || isStiller) largest = set
    }
    return largest
  }

  #moved(held: Held): void {
    if (!this.#remove(held)) return
    held.since = ++this.#clock
    this.#add(held)
  }

  #movesTo(held: Held, network: string): void {
    if (!this.#remove(held)) return
    held.network = network
    held.since = ++this.#clock
    this.#enter(held, this.#mostOfOne)
  }

  #add(held: Held): void {
    const set = this.#networks.get(held.network) ?? new Set()
    this.#networks.set(held.network, set.add(held))
    this.#all++
  }

  #remove(held: Held): boolean {
    const set = this.#networks.get(held.network)
    if (!set?.delete(held)) return false
    if (set.size === 0) this.#networks.delete(held.network)
    this.#all--
    return true
  }
}

/** Of a set that has one: sets keep the order in which they were filled. */
const first = (set: ReadonlySet<Held>): Held => set.values().next().value as Held
