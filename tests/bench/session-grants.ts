/**
 * Grants for one database session each, by token exchange (RFC 8693) with a tap of its own, each used once. The peer has nothing of the
 * kind: it exchanges authorization codes beside it.
 */
import { exportJWK } from 'jose'
import { base64url } from '../../core/lib/bytes.ts'
import { proxyIdOf, proxyJwk } from '../../core/proxy-proof.ts'
import { askFor, beginSession, exchangeForm, tapTicket } from '../proxies.ts'
import type { Client, Contender } from './contender.ts'
import { headerOf, json } from './http.ts'
import { oidcProvider } from './oidc-provider.ts'
import { proverOf } from './plane/openers.ts'
import { freshened, newReader, ok, type Person, signIn, uncounted } from './plane/person.ts'
import { edgeCommand } from './sallyport.ts'
import { inMemory, onDisk } from './sallyport-token.ts'

/** Answers a client for each at a time, who together have so many to exchange. */
export interface Exchanges {
  exchanges(count: number): Promise<readonly Client[]>
}

const random = (length: number) => base64url(crypto.getRandomValues(new Uint8Array(length)))
/** The edge registers it at its start, as that of the same machine. It need not run: who is asked for a grant is the edge. */
const x = random(32)
const proxy = { id: proxyIdOf(proxyJwk(x)), boot: random(16) }
const ask = askFor(proxy)

const ours: Pick<Contender<Exchanges>, 'command' | 'enroll'> = {
  command: (folder, port) => {
    const { args, env } = edgeCommand(folder, port)
    return { args, env: { ...env, SALLYPORT_LOCAL_PROXY: x } }
  },
  enroll: async (server, port, clients) => {
    const origin = `http://localhost:${port}`
    const first = await newReader(origin, await server.said(/first-administrator#(\S+)/), port)
    const programs = [first]
    while (programs.length < clients) programs.push(await signIn(origin, first.passkey))
    return { exchanges: (count) => exchangesOf(programs, count) }
  },
}

export const grantContenders: readonly Contender<Exchanges>[] = [
  { ...onDisk, ...ours },
  { ...inMemory, ...ours },
  {
    ...oidcProvider,
    enroll: async (server, port, clients) => {
      const grants = await oidcProvider.enroll(server, port, clients)
      return { exchanges: (count) => grants.codes(count) }
    },
  },
]

/** Whoever is free takes the next of them all: each is a program's, with a tap that it got before. */
async function exchangesOf(programs: readonly Person[], count: number): Promise<readonly Client[]> {
  const each = Math.ceil(count / programs.length)
  const waiting = (await Promise.all(programs.map((program) => exchangesBy(program, each)))).flat()
  return programs.map(
    (): Client => async (connection) => {
      const exchange = waiting.pop()
      if (!exchange) throw new Error('no tap is left')
      await exchange(connection)
    },
  )
}

async function exchangesBy(person: Person, count: number): Promise<readonly Client[]> {
  await freshened(person)
  const { program, visitor, passkey, tokens } = person
  const token = tokens.access_token
  const prove = proverOf({ key: await exportJWK(program.key.privateKey) })
  const htu = `${visitor.origin}/oauth/token`
  const exchanges: Client[] = []
  while (exchanges.length < count) {
    const { ticket } = await ok(beginSession(program, token, ask))
    const form = exchangeForm(token, ask, await tapTicket(visitor, passkey, ticket, uncounted))
    exchanges.push(async (connection) => {
      const proof = prove({ htm: 'POST', htu, nonce: program.nonce ?? '' })
      const answer = await connection.submit('/oauth/token', form, { DPoP: proof })
      program.nonce = headerOf(answer.head, 'dpop-nonce') ?? program.nonce
      requireGrant(json<{ access_token: string }>(answer).access_token)
    })
  }
  return exchanges
}

function requireGrant(jwt: string): void {
  const { typ } = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { typ?: string }
  if (typ !== 'grant+jwt') throw new Error(`not a grant: ${jwt.slice(0, 100)}`)
}
