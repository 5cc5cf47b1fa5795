/** People at terminals of their own, with the real edge behind the real proxy: software passkeys stand in for fingers. */
import { createECDH } from 'node:crypto'
import { expect } from 'vitest'
import { base64url } from '../../../core/lib/bytes.ts'
import { newAuthenticator } from '../../authenticator.ts'
import { registerFirst, Visitor } from '../../client.ts'
import { acceptBody } from '../../people.ts'
import type { Edge } from '../../web/browser.ts'
import type { Ended, keepCli, Running } from '../run-cli.ts'
import { answerIn, type Person } from '../tls-edge.ts'

interface Given {
  readonly cli: ReturnType<typeof keepCli>
  readonly env: Readonly<Record<string, string>>
  /** Of the edge. */
  readonly origin: string
  /** What the command must know of the proxy: --proxy, and perhaps --ca-file. */
  readonly proxy: readonly string[]
}

export interface Terminals {
  newPerson(): Promise<Person>
  start(profile: string, args: readonly string[], input?: string): Running
  logIn(person: Person, profile: string): Promise<void>
  /** A command of the administrator's whose page, where it shows one, he approves. */
  approved(admin: Person, profile: string, args: readonly string[], input?: string): Promise<Ended>
  /** `admin create` of documents in YAML. */
  create(admin: Person, profile: string, documents: string): Promise<void>
  /** Invited by the one of that profile, and registered. */
  invite(admin: Person, profile: string, name: string, roles: string): Promise<Person>
}

/** A command with these options too: before `--`, behind which nothing is its own. */
export function withOptions(args: readonly string[], ...options: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  return [...args.slice(0, end), ...options, ...args.slice(end)]
}

export function terminals({ cli, env, origin, proxy }: Given): Terminals {
  const newPerson = async () => ({
    visitor: new Visitor(origin),
    passkey: await newAuthenticator({ origin, rpId: 'localhost' }),
  })
  const start: Terminals['start'] = (profile, args, input) =>
    cli.start(withOptions(args, `--profile=${profile}`), env, input)
  const approved: Terminals['approved'] = async (admin, profile, args, input) => {
    const running = start(profile, [...args, '--no-browser'], input)
    const isOver = running.ended.then(() => undefined)
    await Promise.race([answerIn(running, admin).catch(() => undefined), isOver])
    return running.ended
  }
  return {
    newPerson,
    start,
    logIn: async (person, profile) => {
      const running = start(profile, ['login', ...proxy, '--no-browser'])
      await answerIn(running, person)
      expect(await running.ended).toMatchObject({ code: 0 })
    },
    approved,
    create: async (admin, profile, documents) => {
      expect(await approved(admin, profile, ['admin', 'create', '-'], documents)).toMatchObject({ code: 0 })
    },
    invite: async (admin, profile, name, roles) => {
      const inviting = start(profile, ['admin', 'users', 'add', name, `--roles=${roles}`, '--no-browser'])
      await answerIn(inviting, admin)
      const invited = await newPerson()
      await acceptInvite((await inviting.ended).stdout.trim(), invited)
      return invited
    },
  }
}

interface Opened extends Pick<Given, 'cli' | 'env'> {
  readonly edge: Pick<Edge, 'origin' | 'proxyPort' | 'secret'>
  /** That the administrator writes. */
  readonly documents: string
  /** Lea's, beside `access`. */
  readonly roles: string
}

/** At a new edge: its administrator, and one who reaches something; each signed in, in the profile of that name. */
export async function adaAndLea({ cli, env, edge, documents, roles }: Opened) {
  const people = terminals({ cli, env, origin: edge.origin, proxy: [`--proxy=localhost:${edge.proxyPort}`] })
  const ada = await people.newPerson()
  await registerFirst(ada.visitor, edge.secret ?? '', ada.passkey)
  await people.logIn(ada, 'ada')
  await people.create(ada, 'ada', documents)
  const lea = await people.invite(ada, 'ada', 'Lea', `access,${roles}`)
  await people.logIn(lea, 'lea')
  return { people, ada, lea }
}

/** As the page does with the link's secret. */
async function acceptInvite(link: string, { visitor, passkey }: Person): Promise<void> {
  const [id = '', d = ''] = new URL(link).hash.slice(1).split('.')
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(d, 'base64url')
  const point = pair.getPublicKey()
  const [x, y] = [base64url(point.subarray(1, 33)), base64url(point.subarray(33))]
  const vouch_key = { kty: 'EC', crv: 'P-256', x, y } as const
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const privateKey = await crypto.subtle.importKey('jwk', { ...vouch_key, d }, algorithm, false, ['sign'])
  const body = await acceptBody(visitor, passkey, { id, key: { privateKey, vouch_key } })
  expect(await visitor.post('/v1/invites/finish', body)).toMatchObject({ status: 200 })
}

/** A role that reaches every database of `env: dev` as reader in app, and databases by name and address. */
export const documentsFor = (databases: Readonly<Record<string, number>>, { tap }: { readonly tap: boolean }): string =>
  [
    `kind: role
version: v7
metadata: { name: db-reader }
spec:
  options: { require_session_mfa: ${tap} }
  allow: { db_labels: { env: dev }, db_users: [reader], db_names: [app] }
`,
    ...Object.entries(databases).map(
      ([name, port]) => `kind: db
version: v3
metadata: { name: ${name}, labels: { env: dev } }
spec: { protocol: postgres, uri: "127.0.0.1:${port}", tls: { mode: insecure } }
`,
    ),
  ].join('---\n')
