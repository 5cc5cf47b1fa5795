/** What a role lets administrators do: verbs on kinds of things. */
import { fields, listOf, oneOf, type Read } from './fields.ts'
import { type Place, tell } from './place.ts'

/** What an administrator acts on. `session`: logins of browsers and programs; `event`: the audit log; `cert_authority`: signing keys. */
export const ruleResources = [
  'user',
  'role',
  'node',
  'db',
  'kube_cluster',
  'app',
  'windows_desktop',
  'lock',
  'cluster_auth_preference',
  'session',
  'event',
  'cert_authority',
  'proxy',
  'token',
  'bot',
  'device',
  'access_request',
] as const
export type RuleResource = (typeof ruleResources)[number]

export const ruleVerbs = ['list', 'read', 'create', 'update', 'delete', 'rotate', 'enroll'] as const
export type RuleVerb = (typeof ruleVerbs)[number]

export type Rule = {
  readonly resources: readonly (RuleResource | '*')[]
  readonly verbs: readonly (RuleVerb | '*')[]
}

/** One thing that somebody is to do. */
export interface Deed {
  readonly resource: RuleResource
  readonly verb: RuleVerb
}

const mostRules = 64

function someOf<Word extends string>(words: readonly Word[]): Read<readonly (Word | '*')[]> {
  const list = listOf(oneOf<Word | '*'>(...words, '*'), mostRules)
  return (json, place) =>
    Array.isArray(json) && json.length === 0 ? tell(place, 'expected at least one') : list(json, place)
}

const rule: Read<Rule> = fields<Rule>('a rule', { resources: someOf(ruleResources), verbs: someOf(ruleVerbs) })

/** A list of maps; what stands twice stands twice. */
export const listOfMaps =
  <T extends object>(read: Read<T>, what: string, most = mostRules): Read<readonly T[]> =>
  (json, place: Place) => {
    if (!Array.isArray(json)) return tell(place, `expected a list of ${what}`)
    if (json.length > most) return tell(place, `${json.length} entries: at most ${most}`)
    const { path, problems } = place
    return json.flatMap((entry, at) => read(entry, { path: [...path, at], problems }) ?? [])
  }

export const rules: Read<readonly Rule[]> = listOfMaps(rule, 'rules, each with resources and verbs')

/** Such as `update roles (role:update)`. */
export const deedInWords = ({ resource, verb }: Deed): string =>
  `${verb} ${resourceWords[resource]} (${resource}:${verb})`

const resourceWords: { readonly [R in RuleResource]: string } = {
  user: 'users',
  role: 'roles',
  node: 'hosts',
  db: 'databases',
  kube_cluster: 'Kubernetes clusters',
  app: 'apps',
  windows_desktop: 'desktops',
  lock: 'locks',
  cluster_auth_preference: 'the preference about logins',
  session: 'logins and sessions',
  event: 'the audit log',
  cert_authority: 'signing keys',
  proxy: 'proxies',
  token: 'join tokens',
  bot: 'bots',
  device: 'devices',
  access_request: 'requests for access',
}

const names = (words: readonly string[], word: string): boolean => words.includes('*') || words.includes(word)

export const covers = (list: readonly Rule[] | undefined, { resource, verb }: Deed): boolean =>
  (list ?? []).some((one) => names(one.resources, resource) && names(one.verbs, verb))
