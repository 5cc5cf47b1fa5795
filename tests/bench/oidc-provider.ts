/** The peer. Its codes are minted inside its process: what approving costs there is not measured. */
import { join } from 'node:path'
import type { Contender } from './contender.ts'
import { Grants, type Mint } from './grants.ts'
import { Connection, json } from './http.ts'
import { redirectUri, TokenEndpoint } from './program.ts'

const program = join(import.meta.dirname, 'oidc-provider-server.mjs')
const clientId = 'bench-cli'

export const oidcProvider: Contender<Grants> = {
  name: 'oidc_provider',

  command: (_, port) => ({ args: [program, String(port), clientId, redirectUri], env: {} }),

  async enroll(server, port, clients) {
    await server.said(/^ready/)
    return new Grants(port, new TokenEndpoint(port, '/token', clientId), clients, mintAt(port))
  },
}

const mintAt =
  (port: number): Mint =>
  async (programs) => {
    const connection = await Connection.open(port)
    const asked = programs.map(({ jkt, challenge }) => ({ jkt, challenge }))
    const { codes } = json<{ codes: string[] }>(await connection.request('POST', '/bench/codes', '', asked))
    connection.close()
    return codes
  }
