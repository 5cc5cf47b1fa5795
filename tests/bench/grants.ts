/** The two grants, as clients of a load: each with what it uses up. */
import type { Client } from './contender.ts'
import { Connection } from './http.ts'
import { Program, type TokenEndpoint } from './program.ts'

/** Approves what each program asks for, and answers their codes in that order. Not measured. */
export type Mint = (programs: readonly Program[]) => Promise<readonly string[]>

export class Grants {
  readonly #port: number
  readonly #endpoint: TokenEndpoint
  readonly #mint: Mint
  readonly #concurrency: number
  #refreshing: readonly Client[] = []

  constructor(port: number, endpoint: TokenEndpoint, concurrency: number, mint: Mint) {
    this.#port = port
    this.#endpoint = endpoint
    this.#concurrency = concurrency
    this.#mint = mint
  }

  /** Every code is of a program of its own, whose key the server never saw: a program that logs in has just made it. */
  async codes(count: number): Promise<readonly Client[]> {
    await this.#learnNonce()
    const minted = await this.#minted(count)
    return this.#clients(() => async (connection) => {
      const [program, code] = minted.pop() ?? []
      if (!program || code === undefined) throw new Error('no code is left')
      await this.#endpoint.redeem(connection, program, code)
    })
  }

  /** The same programs all the time, each with its chain of refresh tokens. */
  async refreshes(): Promise<readonly Client[]> {
    await this.#learnNonce()
    if (this.#refreshing.length === 0) this.#refreshing = await this.#loggedIn()
    return this.#refreshing
  }

  async #loggedIn(): Promise<readonly Client[]> {
    const connection = await Connection.open(this.#port)
    const clients: Client[] = []
    for (const [program, code] of await this.#minted(this.#concurrency)) {
      let token = await this.#endpoint.redeem(connection, program, code)
      clients.push(async (each) => {
        token = await this.#endpoint.refresh(each, program, token)
      })
    }
    connection.close()
    return clients
  }

  async #minted(count: number): Promise<[Program, string][]> {
    const programs = Array.from({ length: count }, () => new Program())
    const codes = await this.#mint(programs)
    return programs.map((program, index) => [program, codes[index] ?? ''])
  }

  async #learnNonce(): Promise<void> {
    const connection = await Connection.open(this.#port)
    await this.#endpoint.learnNonce(connection)
    connection.close()
  }

  #clients(make: () => Client): readonly Client[] {
    return Array.from({ length: this.#concurrency }, make)
  }
}
