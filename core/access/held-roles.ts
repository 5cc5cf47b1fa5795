/**
 * The roles that a user holds, ready to be asked. What each of them says of a resource's labels, or of one value, is one bit; it is worked
 * out once, and kept for as long as user and roles are the same objects. A decision is then a few operations on words, however many roles
 * there are.
 */
import type { Duration } from '../model.ts'
import { parseDuration } from './duration.ts'
import { allowing, denying, type Networks, networksFor } from './host-rule.ts'
import { hostOf } from './host-target.ts'
import { isEverything } from './kube-resources.ts'
import { matches, type Traits } from './pattern.ts'
import { type LabelCondition, type ListCondition, resourceKinds, type SessionTarget } from './resource.ts'
import type { LabelMatchers, RoleDocument, RoleOptions } from './role.ts'

/** One bit for each role, in the order of `HeldRoles.all`. */
export type Marks = readonly number[]

/** Which roles allow something, and which deny it. */
export interface Said {
  readonly allow: Marks
  readonly deny: Marks
}

export interface RoleHolder {
  readonly name: string
  readonly roles: readonly string[]
  readonly traits?: Traits
}

type Roles = ReadonlyMap<string, RoleDocument>

/** What all roles together limit: of each option the strictest. undefined: none of them says. */
export interface Limits {
  readonly maxTtl: Duration | undefined
  readonly clientIdleTimeout: Duration | undefined
  readonly maxConnections: number | undefined
  readonly maxSessions: number | undefined
  readonly pinSourceIp: boolean
  readonly disconnectExpiredCert: boolean
  readonly strictLocks: boolean
  readonly noBearerGrants: boolean
}

/** Values are what somebody asks for: of no user more are remembered. */
const mostValues = 1024

export class HeldRoles {
  /** Those that there are. */
  readonly all: readonly RoleDocument[]
  /** Names of roles that nobody wrote. */
  readonly unknown: readonly string[]
  readonly limits: Limits
  /** That ask for a tap of each session that they reach. */
  readonly tapping: Marks
  /** That let a word stand in for the program's key, on what they reach. */
  readonly bearing: Marks
  /** That do not look inside of Kubernetes clusters. */
  readonly unlimited: Marks
  readonly #traits: Traits
  readonly #ofLabels = new Map<LabelCondition, Labelled>()
  readonly #ofHosts = new Map<string, Said>()
  readonly #ofValues = new Map<ListCondition, Map<string, Said>>()

  constructor({ roles: names, traits = {} }: RoleHolder, roles: Roles) {
    this.all = names.flatMap((name) => roles.get(name) ?? [])
    this.unknown = names.filter((name) => !roles.has(name))
    this.limits = limitsOf(this.all.map(({ spec }) => spec.options))
    this.tapping = this.#mark(({ spec }) => spec.options.require_session_mfa === true)
    this.bearing = this.#mark(({ spec }) => spec.options.bearer_grants === true)
    this.unlimited = this.#mark(isUnlimited)
    this.#traits = traits
  }

  /** A host by what it is called, anything else by its labels. */
  ofResource({ kind, metadata }: SessionTarget): Said {
    const { named } = resourceKinds[kind]
    return named === 'hosts' ? this.#ofHost(metadata.name) : this.#ofLabelled(named, metadata.labels ?? {})
  }

  #ofHost(name: string): Said {
    return remember(this.#ofHosts, name, () => {
      const host = hostOf(name)
      return {
        allow: this.#mark(({ spec }) => allowing(spec.allow.hosts, host) >= 0),
        deny: this.#mark(({ spec }) => denying(spec.deny.hosts, host) >= 0),
      }
    })
  }

  /** Where a host may be dialled that `reaching` allow. */
  networksOf(name: string, reaching: Marks): Networks {
    return networksFor(this.marked(reaching), this.all, hostOf(name))
  }

  /** By the labels of its kind: each one that a role names must be there with one of its values; `*: *` is any resource; no label is none. */
  #ofLabelled(condition: LabelCondition, there: Readonly<Record<string, string>>): Said {
    const { named, whole, ofValues } = this.#labelled(condition)
    let { allow, deny } = whole
    for (const label of named) {
      const value = Object.hasOwn(there, label) ? there[label] : undefined
      const said = ofValues(label, value)
      allow = both(allow, said.allow)
      deny = both(deny, said.deny)
    }
    return { allow, deny }
  }

  #labelled(condition: LabelCondition): Labelled {
    const known = this.#ofLabels.get(condition)
    if (known) return known
    const matchersOf = (side: 'allow' | 'deny') => (role: RoleDocument) => role.spec[side][condition] ?? {}
    const [allowing, denying] = [matchersOf('allow'), matchersOf('deny')]
    const named = new Set(this.all.flatMap((role) => [allowing(role), denying(role)].flatMap(Object.keys)))
    named.delete('*')
    const memory = new Map([...named].map((label) => [label, new Map<string | undefined, Said>()]))
    const ofValues = (label: string, value: string | undefined): Said =>
      remember(memory.get(label), value, () => {
        const says = (matchersOf: (role: RoleDocument) => LabelMatchers) => (role: RoleDocument) => {
          const matchers = matchersOf(role)
          if (!Object.hasOwn(matchers, label)) return true
          return value !== undefined && matches(matchers[label] ?? [], value, this.#traits)
        }
        return { allow: this.#mark(says(allowing)), deny: this.#mark(says(denying)) }
      })
    const whole = {
      allow: this.#mark((role) => isWhole(allowing(role))),
      deny: this.#mark((role) => isWhole(denying(role))),
    }
    const made = { named: [...named], whole, ofValues }
    this.#ofLabels.set(condition, made)
    return made
  }

  /** By one of their lists. */
  ofValue(list: ListCondition, text: string): Said {
    const values = this.#ofValues.get(list) ?? new Map<string, Said>()
    this.#ofValues.set(list, values)
    return remember(values, text, () => ({
      allow: this.#mark(({ spec }) => matches(spec.allow[list] ?? [], text, this.#traits)),
      deny: this.#mark(({ spec }) => matches(spec.deny[list] ?? [], text, this.#traits)),
    }))
  }

  every(): Marks {
    return this.#mark(() => true)
  }

  none(): Marks {
    return this.#mark(() => false)
  }

  marked(marks: Marks): RoleDocument[] {
    return this.all.filter((_, at) => isMarked(marks, at))
  }

  #mark(says: (role: RoleDocument) => boolean): Marks {
    const words = new Array<number>(Math.ceil(this.all.length / 32)).fill(0)
    for (const [at, role] of this.all.entries()) if (says(role)) words[at >>> 5] = (words[at >>> 5] ?? 0) | bit(at)
    return words
  }
}

/** What roles say of the labels of one kind. */
interface Labelled {
  /** The labels that any of them names. */
  readonly named: readonly string[]
  /** Whoever names labels at all, before any was looked at. */
  readonly whole: Said
  readonly ofValues: (label: string, value: string | undefined) => Said
}

/** Of labels that there are none of nothing is said, and `*` stands for any resource only with the value `*`. */
const isWhole = (matchers: LabelMatchers): boolean =>
  Object.keys(matchers).length > 0 && (!Object.hasOwn(matchers, '*') || matchers['*']?.includes('*') === true)

function remember<K>(memory: Map<K, Said> | undefined, key: K, work: () => Said): Said {
  const known = memory?.get(key)
  if (known) return known
  const said = work()
  if (memory && memory.size >= mostValues) memory.clear()
  memory?.set(key, said)
  return said
}

const bit = (at: number): number => 1 << (at & 31)

export const isMarked = (marks: Marks, at: number): boolean => ((marks[at >>> 5] ?? 0) & bit(at)) !== 0

export const isAny = (marks: Marks): boolean => marks.some((word) => word !== 0)

export const both = (one: Marks, other: Marks): Marks => one.map((word, at) => word & (other[at] ?? 0))

export const either = (one: Marks, other: Marks): Marks => one.map((word, at) => word | (other[at] ?? 0))

/** A role that limits what its holders do inside a Kubernetes cluster opens none to whoever cannot look inside. */
const isUnlimited = ({ spec: { allow } }: RoleDocument): boolean =>
  allow.kubernetes_resources === undefined || allow.kubernetes_resources.some(isEverything)

const limitsOf = (options: readonly RoleOptions[]): Limits => ({
  maxTtl: least(durations(options, 'max_session_ttl')),
  clientIdleTimeout: least(durations(options, 'client_idle_timeout')),
  maxConnections: least(options.flatMap(({ max_connections }) => max_connections ?? [])),
  maxSessions: least(options.flatMap(({ max_sessions }) => max_sessions ?? [])),
  pinSourceIp: options.some(({ pin_source_ip }) => pin_source_ip === true),
  disconnectExpiredCert: options.some(({ disconnect_expired_cert }) => disconnect_expired_cert === true),
  strictLocks: options.some(({ lock }) => lock === 'strict'),
  noBearerGrants: options.some(({ bearer_grants }) => bearer_grants === false),
})

/** What cannot be read is no time at all. */
const durations = (options: readonly RoleOptions[], name: 'max_session_ttl' | 'client_idle_timeout'): Duration[] =>
  options.flatMap(({ [name]: written }) => (written === undefined ? [] : [parseDuration(written) ?? 0]))

const least = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : Math.min(...numbers)

const remembered = new WeakMap<RoleHolder, { readonly roles: Roles; readonly held: HeldRoles }>()

/** Neither of the two ever changes: another version of either is another object. */
export function heldRoles(user: RoleHolder, roles: Roles): HeldRoles {
  const known = remembered.get(user)
  if (known?.roles === roles) return known.held
  const held = new HeldRoles(user, roles)
  remembered.set(user, { roles, held })
  return held
}
