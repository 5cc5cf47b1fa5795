/** The device flow as its two sides have it: a program that asks and polls, a person who answers in a browser. */
import { seconds } from '../core/model.ts'
import type { Authenticator, GetOverrides, RequestOptions } from './authenticator.ts'
import type { Reply, Visitor } from './client.ts'
import type { TestEdge } from './edge.ts'
import { newAdmin, newPerson, type Person, putDocuments } from './people.ts'
import type { Program, ProofParts, Tokens } from './program.ts'

const endpoint = '/oauth/device_authorization'

export const headlessRole = (device_flow = true) => ({
  kind: 'role',
  version: 'v7',
  metadata: { name: 'headless' },
  spec: { options: { device_flow }, allow: {}, deny: {} },
})

export interface Codes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

export const sendAsk = (program: Program, form: Record<string, string>, headers: Record<string, string> = {}) =>
  program.visitor.request('POST', endpoint, String(new URLSearchParams(form)), {
    'content-type': 'application/x-www-form-urlencoded',
    ...headers,
  })

export const askForm = ({ key }: Program) => ({ client_id: 'sallyport-cli', scope: 'openid api', dpop_jkt: key.jkt })

/** What a program gets that asks rightly. */
export async function askForCodes(program: Program, more: Record<string, string> = {}): Promise<Codes> {
  const { status, text, json } = await sendAsk(program, { ...askForm(program), ...more })
  if (status !== 200) throw new Error(`${endpoint} answered ${status}: ${text}`)
  return json
}

/** With a proof of the program's key, as RFC 9449 section 10.1 has it. */
export const proofForAsk = async (program: Program, more: Partial<ProofParts> = {}) => {
  await program.needNonce()
  return program.proof('POST', endpoint, more)
}

export const pollForm = ({ device_code }: Pick<Codes, 'device_code'>) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
  client_id: 'sallyport-cli',
  device_code,
})

export const poll = (program: Program, codes: Pick<Codes, 'device_code'>): Promise<Reply> =>
  program.token(pollForm(codes))

/** The page's side of an approval. */
export async function deviceBody(
  visitor: Visitor,
  passkey: Authenticator,
  user_code: string,
  overrides?: GetOverrides,
) {
  const begun = await visitor.post('/v1/device/begin', { user_code })
  if (begun.status !== 200) throw new Error(`begin answered ${begun.status}: ${begun.text}`)
  const { ticket, options } = begun.json as { ticket: string; options: RequestOptions }
  return { user_code, ticket, assertion: await passkey.get(options, overrides) }
}

export async function approveDevice(
  { visitor, passkey }: Pick<Person, 'visitor' | 'passkey'>,
  { user_code }: Pick<Codes, 'user_code'>,
): Promise<Reply> {
  return visitor.post('/v1/device/finish', await deviceBody(visitor, passkey, user_code))
}

export const refuseDevice = ({ visitor }: Pick<Person, 'visitor'>, { user_code }: Pick<Codes, 'user_code'>) =>
  visitor.post('/v1/device/refuse', { user_code })

/** Ada administers; Bob holds a role that allows the device flow; a program without a browser has asked. */
export async function newDeviceFlow(settings: Parameters<typeof newAdmin>[0] = {}) {
  const ada = await newAdmin(settings)
  const { edge } = ada
  const put = await putDocuments(ada, [headlessRole()])
  if (put.status !== 200) throw new Error(`the role was answered ${put.status}: ${put.text}`)
  const bob = await newPerson(ada, 'Bob', ['access', 'headless'])
  const program = await edge.program()
  return { edge, ada, bob, program, codes: await askForCodes(program) }
}

/** The same, approved by Bob, whose program has its tokens. */
export async function newDeviceLogin() {
  const made = await newDeviceFlow()
  const { bob, program, codes } = made
  const approved = await approveDevice(bob, codes)
  if (approved.status !== 200) throw new Error(`the approval was answered ${approved.status}: ${approved.text}`)
  const { status, text, json } = await poll(program, codes)
  if (status !== 200) throw new Error(`the device code was answered ${status}: ${text}`)
  const tokens = json as Tokens
  const person: Person = { ...bob, program, token: tokens.access_token, refreshToken: tokens.refresh_token }
  return { ...made, tokens, person }
}

export const pollInterval = seconds(5)

/** The logins that the device flow opened. */
export const deviceLoginsOf = (edge: TestEdge) =>
  edge.rows("select end_reason from client_sessions where via = 'device_flow'")
