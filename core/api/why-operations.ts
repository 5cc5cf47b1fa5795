/** What programs ask about decisions: why a session is allowed or refused, and what was decided once. Nothing is written. */
import { kindsOfResources } from '../access/resource.ts'
import type { AnyOperation } from './operation.ts'
import { anything, list, object, oneOf, optional, text, whole, yesOrNo } from './shape.ts'

const name = text(256)
const names = optional(list(name, 1024))

/** As whom, by the lists of roles. */
export const principalLists = object({
  logins: names,
  db_users: names,
  db_names: names,
  kubernetes_users: names,
  kubernetes_groups: names,
  windows_desktop_logins: names,
})

const resource = object({ kind: oneOf(kindsOfResources), name })
const refusedBecause = ['locked', 'denied', 'not_allowed', 'device_untrusted', 'not_supported'] as const
const rules = list(text(4096), 1024)

/** Addresses, ranges, and `public`. */
const networks = list(name, 100_000)

/** Durations in seconds. A limit that is left out is none. */
const constraints = object({
  tap: yesOrNo,
  max_ttl: whole,
  pin_source_ip: yesOrNo,
  client_idle_timeout: optional(whole),
  disconnect_expired_cert: yesOrNo,
  max_connections: optional(whole),
  max_sessions: optional(whole),
  strict_locks: yesOrNo,
  /** Of a host that is no resource: where the address may lie that the proxy dials. */
  networks: optional(object({ allowed: networks, denied: networks })),
})

export const whyOperations = {
  why: {
    method: 'POST',
    path: '/v1/why',
    summary: 'Why a session would be allowed or refused: by which rules, under which constraints, and what would help',
    auth: 'dpop',
    /** Without `principal`: as whom roles reach it. Of another `user` it wants rules to read users and roles. */
    body: object({ resource, principal: optional(anything), user: optional(name) }),
    answer: object({
      user: name,
      outcome: oneOf(['allow', 'refuse', 'reach']),
      because: optional(oneOf(refusedBecause)),
      told: text(4096),
      /** In the order in which they were looked at, as `ROLE: what it said`. */
      rules,
      /** `command`: as it is typed. */
      remedies: list(object({ told: text(4096), command: optional(text(2048)) }), 64),
      constraints: optional(constraints),
      /** A denial without lists is of all. */
      reach: optional(list(object({ role: name, effect: oneOf(['allow', 'deny']), lists: principalLists }), 256)),
    }),
  },
  eventsReplay: {
    method: 'GET',
    path: '/v1/why/events/{id}',
    summary: 'What was decided once, by the number of its audit event or by the id of its request',
    auth: 'dpop',
    needs: { browser: true },
    answer: object({
      events: list(
        object({
          seq: whole,
          at: text(32),
          request_id: name,
          kind: name,
          outcome: oneOf(['done', 'refused']),
          code: optional(name),
          user: optional(name),
          resource: optional(name),
          because: optional(name),
          told: optional(text(4096)),
          rules,
        }),
        100,
      ),
    }),
  },
} as const satisfies Record<string, AnyOperation>
