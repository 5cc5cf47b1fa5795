/** What the roles of this user reach. */
import { type DbProtocol, dbProtocols } from '../core/access/db.ts'
import { parseHost } from '../core/access/host-target.ts'
import { nearest } from '../core/access/place.ts'
import { kindsOfResources } from '../core/access/resource.ts'
import type { AnswerOf } from '../core/api/operation.ts'
import { operations } from '../core/api/operations.ts'
import { call, type Session } from './api.ts'
import { parseMeant } from './document-name.ts'
import { Problem } from './problem.ts'
import { quoted } from './quoted.ts'

export type Resource = AnswerOf<typeof operations.resourcesList>['resources'][number]

/** Where another user is named, his. @throws Problem refused where no role lets one act as him */
export async function resourcesOf(session: Session, impersonate?: string): Promise<readonly Resource[]> {
  return (await call(session, operations.resourcesList, { query: { impersonate } })).resources
}

export type HostsRule = AnswerOf<typeof operations.hostsList>['hosts'][number]

/** Hosts that are no resources, as roles name them. */
export async function hostsOf(session: Session, impersonate?: string): Promise<readonly HostsRule[]> {
  return (await call(session, operations.hostsList, { query: { impersonate } })).hosts
}

export async function databasesOf(session: Session): Promise<readonly Resource[]> {
  return (await resourcesOf(session)).filter(({ kind }) => kind === 'db')
}

/** @throws Problem refused where there is none of that name, as far as this user may know */
export async function requireDatabase(session: Session, name: string, impersonate?: string): Promise<Resource> {
  const databases = (await resourcesOf(session, impersonate)).filter(({ kind }) => kind === 'db')
  return requireFound(databases, name, `a database ${name}`, listsFor('db ls', impersonate))
}

/** Of a database. @throws Problem failed where this version does not know it */
export function protocolOf({ name, protocol }: Resource): DbProtocol {
  const known = dbProtocols.find((one) => one === protocol)
  if (known) return known
  throw new Problem(
    'failed',
    `${name} speaks ${protocol ?? 'something else'}`,
    'use a sallyport of the version of the edge',
  )
}

/** What a session is asked for on. Of a host nobody lists which there are: the edge says whether a role names it. @throws Problem refused */
export async function requireTarget(session: Session, asked: Pick<Resource, 'kind' | 'name'>, impersonate?: string) {
  return asked.kind === 'host' ? { ...asked, allowed: {} } : requireResource(session, asked, impersonate)
}

/** @throws Problem refused */
export async function requireResource(
  session: Session,
  { kind, name }: Pick<Resource, 'kind' | 'name'>,
  impersonate?: string,
) {
  const all = await resourcesOf(session, impersonate)
  const other = all.find((one) => one.name === name && one.kind !== kind)
  if (other) throw new Problem('refused', `${name} is no ${kind}`, `did you mean ${other.kind}/${name}?`)
  return requireFound(
    all.filter((one) => one.kind === kind),
    name,
    `${kind}/${name}`,
    listsFor('ls', impersonate),
  )
}

/** The command that shows what there is to choose from. */
const listsFor = (own: 'ls' | 'db ls', impersonate: string | undefined): string =>
  impersonate === undefined ? `sallyport ${own}` : `sallyport ls --impersonate=${quoted(impersonate)}`

function requireFound(all: readonly Resource[], name: string, what: string, lists: string): Resource {
  const found = all.find((one) => one.name === name)
  if (found) return found
  const names = all.map((one) => one.name)
  const meant = nearest(name, names)
  const hint = meant === undefined ? `${lists} shows those that you reach` : `did you mean ${meant}?`
  throw new Problem('refused', `no role of yours reaches ${what}`, hint)
}

/** `KIND/NAME`, or `HOST:PORT` of a host that is no resource. @throws Problem usage */
export function parseResource(text: string): Pick<Resource, 'kind' | 'name'> {
  const kinds = kindsOfResources.filter((kind) => kind !== 'host')
  const form = `write KIND/NAME, where KIND is ${kinds.join(', ')}, or HOST:PORT`
  const [, host] = /^(?:host\/)?([^/]*:\d*)$/.exec(text) ?? []
  if (host !== undefined) return { kind: 'host', name: requireHost(host) }
  if (!text.includes('/')) throw new Problem('usage', `${text} does not say which kind it is`, form)
  const { kind: word, name } = parseMeant(text)
  const kind = kinds.find((one) => one === word)
  if (kind && name !== undefined) return { kind, name }
  throw new Problem('usage', `${text} is no resource`, form)
}

/** In its one spelling. @throws Problem usage */
export function requireHost(text: string): string {
  const parsed = parseHost(text)
  if (parsed.kind === 'value') return parsed.value
  throw new Problem('usage', `${text} is no host: ${parsed.why}`, 'write HOST:PORT, such as git.example.com:443')
}

/** Such as `env=dev team=a`. */
export const labelsInWords = ({ labels }: Resource): string =>
  Object.entries((labels ?? {}) as Readonly<Record<string, unknown>>)
    .map(([label, value]) => `${label}=${String(value)}`)
    .join(' ')
