/** The edge's interface, typed by core/api/: answers are checked by the very shapes that the edge promises. */
import type { DPoPHandle } from 'oauth4webapi'
import type { AnswerOf, AnyOperation, BodyOf, QueryOf } from '../core/api/operation.ts'
import { type Of, object, optional, text } from '../core/api/shape.ts'
import type { Json } from '../core/intent.ts'
import { Refusal } from '../core/refusal.ts'
import { parseAddress } from './address.ts'
import { type Fetch, fetchThrough } from './http.ts'
import { askWithToken, challengeOf, dpopHandle, now, refresh } from './oauth.ts'
import { type Exit, Problem } from './problem.ts'
import { type Profile, readProfile, replaceTokens, requireProfile } from './profiles.ts'

/** A profile in use: its tokens change under way. */
export interface Session {
  readonly name: string
  profile: Profile
  readonly fetch: Fetch
  readonly dpop: DPoPHandle
}

/** @throws Problem signIn */
export async function openSession(flag: string | undefined): Promise<Session> {
  const { name, profile } = requireProfile(flag)
  return sessionOf(name, profile)
}

export async function sessionOf(name: string, profile: Profile): Promise<Session> {
  const fetch = fetchThrough(parseAddress(profile.proxy), profile.ca, profile.issuer)
  return { name, profile, fetch, dpop: await dpopHandle(profile.key) }
}

/** A token that is about to end would end under way. */
const spareSeconds = 30

/** @throws Problem signIn where the login has ended */
export async function accessToken(session: Session): Promise<string> {
  if (session.profile.tokens.access_expires_at - spareSeconds < now()) await renew(session)
  return session.profile.tokens.access
}

async function renew(session: Session): Promise<void> {
  if (takeNewer(session)) return
  const used = session.profile.tokens.refresh
  const tokens = await refresh(session.fetch, session.profile, session.dpop)
  session.profile = { ...session.profile, tokens }
  replaceTokens(session.name, used, tokens)
}

/**
 * What another process renewed since this one began: a token that was followed by others would look stolen to the edge. True where
 * that already brought a token that can be used.
 */
function takeNewer(session: Session): boolean {
  const { key, tokens } = session.profile
  const kept = readProfile(session.name)
  if (kept?.key.d !== key.d || kept.tokens.refresh === tokens.refresh) return false
  session.profile = { ...session.profile, tokens: kept.tokens }
  return kept.tokens.access_expires_at - spareSeconds >= now()
}

type NamesIn<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
type Without<T> = T extends undefined ? { readonly [none in never]: never } : T
export type Given<O extends AnyOperation> = ([NamesIn<O['path']>] extends [never]
  ? { readonly parameters?: never }
  : { readonly parameters: Readonly<Record<NamesIn<O['path']>, string>> }) & {
  readonly query?: Without<QueryOf<O>>
} & TapOf<O> &
  (BodyOf<O> extends undefined ? { readonly body?: never } : { readonly body: BodyOf<O> })

/** The approval of exactly this request. Where an operation may want one, `callApproved` in tap.ts asks for it: no verb forgets. Ceremonies of their own may bring one. */
type TapOf<O> = O extends { readonly needs: { readonly presence: string } }
  ? { readonly tap: string | undefined }
  : O extends { readonly needs: { readonly browser: true } }
    ? { readonly tap?: string }
    : { readonly tap?: never }

/** @throws Problem */
export async function call<O extends AnyOperation>(
  session: Session,
  operation: O,
  given: Given<O>,
): Promise<AnswerOf<O>> {
  const url = urlOf(session.profile.issuer, operation.path, given.parameters ?? {}, given.query ?? {})
  const headers = new Headers({ Accept: 'application/json' })
  if (given.body !== undefined) headers.set('Content-Type', 'application/json')
  if (given.tap !== undefined) headers.set('Sallyport-Tap', given.tap)
  const body = given.body === undefined ? undefined : JSON.stringify(given.body)
  const answer = await ask(session, operation.method, url, headers, body)
  return read(operation, await jsonOf(answer)) as AnswerOf<O>
}

function urlOf(issuer: string, path: string, parameters: Readonly<Record<string, string>>, query: object): URL {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(parameters[name] ?? ''))
  const url = new URL(filled, issuer)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

/** A URL takes these as steps through its path, also where they are percent-encoded. */
function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') {
    throw new Problem('usage', `${JSON.stringify(value)} is not a name`, 'give a name')
  }
  return encodeURIComponent(value)
}

async function ask(session: Session, method: string, url: URL, headers: Headers, body: string | undefined) {
  const once = async () => {
    const token = await accessToken(session)
    return askWithToken(session.fetch, session.dpop, token, { method, url, headers, body })
  }
  try {
    return await once()
  } catch (error) {
    const challenge = challengeOf(error)
    if (challenge?.error !== 'invalid_token') throw await refusalOf(challenge, error)
  }
  await renew(session)
  try {
    return await once()
  } catch (error) {
    throw await refusalOf(challengeOf(error), error)
  }
}

async function refusalOf(challenge: { response: Response } | undefined, error: unknown): Promise<unknown> {
  return challenge ? problemOf(challenge.response) : error
}

async function jsonOf(answer: Response): Promise<Json> {
  if (!answer.ok) throw await problemOf(answer)
  try {
    return (await answer.json()) as Json
  } catch (cause) {
    throw new Problem(
      'failed',
      'the edge answered something that is not JSON',
      'check that the proxy is the right one',
      {
        cause,
      },
    )
  }
}

function read(operation: AnyOperation, json: Json): unknown {
  try {
    return operation.answer?.(json, 'answer')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const why = `the edge answers otherwise than this sallyport expects (${error.detail['why']})`
    throw new Problem('failed', why, 'use a sallyport of the version of the edge', { cause: error })
  }
}

const errorBody = object({ error: optional(text(256)), message: optional(text(4096)), request_id: optional(text(256)) })

/** What a refusal is to the person, by status; `insufficient_user_authentication` is RFC 9470's. */
async function problemOf(answer: Response): Promise<Problem> {
  const { error = '', message, request_id: id } = errorOf(await answer.json().catch(() => null))
  const challenge = answer.headers.get('www-authenticate') ?? ''
  const asksForLogin = answer.status === 401 && challenge.includes('insufficient_user_authentication')
  const exit = asksForLogin ? 'signIn' : exitOf(answer.status, error)
  const said = [error.replaceAll('_', ' '), `status ${answer.status}`, ...(id === undefined ? [] : [`request ${id}`])]
  const [what = '', ...details] = said.filter((part) => part !== '')
  const wanted = challenge.includes('max_age') ? 'is at most five minutes old' : 'a passkey approved'
  const state = asksForLogin ? `this wants a login that ${wanted}` : `the edge answered: ${what}`
  const remedy = message ?? hints[exit] ?? 'try again'
  return new EdgeProblem(exit, details.length > 0 ? `${state} (${details.join(', ')})` : state, remedy, error)
}

/** What the edge refused. */
export class EdgeProblem extends Problem {
  /** Its word for programs; empty where it gave none. */
  readonly word: string

  constructor(exit: Exit, message: string, hint: string, word: string) {
    super(exit, message, hint)
    this.word = word
  }
}

function errorOf(json: Json): Partial<Of<typeof errorBody>> {
  try {
    return errorBody(json, 'error')
  } catch {
    return {}
  }
}

const hints: Partial<Record<Exit, string>> = {
  refused: 'ask an administrator',
  signIn: 'sallyport login',
  unreachable: 'try again in a moment',
}

function exitOf(status: number, error: string): Exit {
  if (status === 403 || error === 'refused') return 'refused'
  // A proof is refused for this machine's clock, which no login mends.
  if (error === 'invalid_dpop_proof') return 'failed'
  if (status === 401) return 'signIn'
  return status >= 502 && status <= 504 ? 'unreachable' : 'failed'
}
