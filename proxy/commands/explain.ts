/** Where a client's hello goes, and why: what the proxy itself would do, without a socket. */
import process from 'node:process'
import { quoted } from '../../core/access/place.ts'
import { type Explained, explain as explainIn, type NameReason } from '../../core/route/explain.ts'
import { compileTable, type RouteReason, type RouteRule } from '../../core/route/table.ts'
import { withChallenges } from '../acme/protocol.ts'
import type { Balance } from '../balance.ts'
import { ownDeed } from '../own-deeds.ts'
import { type CloseCode, routeCodes } from '../reasons.ts'
import { inTable, ownRules, routesOfTls, type StaticRoute } from '../routes.ts'
import { settingsOf } from './settings.ts'

export interface Asked {
  readonly config: string
  readonly sni: string | undefined
  readonly alpn: readonly string[]
  readonly format: 'json' | 'text'
}

/** The rules of a file: those that are static have backends. */
type Rule = RouteRule & Partial<StaticRoute>

/** 0, or 3 where it is refused. @throws SetupProblem */
export function explain({ config, sni, alpn, format }: Asked): number {
  const settings = settingsOf(config)
  const own = inTable(Object.values(ownRules(settings, settings.routes)))
  const compiled = compileTable<Rule>([...routesOfTls(settings.routes), ...own])
  // The file's reader has compiled it before.
  if (compiled.kind === 'invalid') throw new Error('a table that was sound is not')
  // No challenge is open where no proxy runs.
  const explained = explainIn(
    withChallenges(compiled.value, () => undefined),
    { sni, alpn },
  )
  process.stdout.write(`${format === 'json' ? JSON.stringify(asJson(explained)) : asText(explained)}\n`)
  return explained.kind === 'route' ? 0 : 3
}

/** `reason` of a refusal is the code in log and metrics. */
function asJson(explained: Explained<Rule>) {
  const { kind, reason } = explained
  if (kind === 'route') {
    const { rule, considered } = explained
    return { route: rule.name, action: rule.tls, reason, considered }
  }
  return { route: null, action: 'refuse', reason: codeOf(explained), considered: consideredBy(explained) }
}

type Refused = Exclude<Explained<Rule>, { kind: 'route' }>

const codeOf = (refused: Refused): CloseCode =>
  refused.kind === 'refused' ? routeCodes[refused.reason] : refused.reason

const consideredBy = (explained: Explained<Rule>): readonly string[] =>
  explained.kind === 'invalid' ? [] : explained.considered

function asText(explained: Explained<Rule>): string {
  const lines = {
    route: explained.kind === 'route' ? explained.rule.name : 'none',
    does: doesOf(explained),
    why: whyOf(explained),
    considered: consideredBy(explained).join(', ') || 'no route',
  }
  return Object.entries(lines)
    .map(([name, line]) => `${`${name}:`.padEnd(12)}${line}`)
    .join('\n')
}

function doesOf(explained: Explained<Rule>): string {
  if (explained.kind !== 'route') return `the connection is refused: ${codeOf(explained)}`
  const { rule, hello, reason } = explained
  return ownDeed(rule, hello, reason) ?? deedOf(rule)
}

const between: { readonly [balance in Balance]: string } = {
  first: ', or else ',
  round_robin: ' and in turn ',
  least_connections: ' or, with fewer connections, ',
}

/** As the file says it: which of them answer is not looked at. */
function deedOf({ tls, backends = [], balance = 'first', sendProxy, clientCertificate }: Rule): string {
  const told = sendProxy ? ', behind a PROXY header' : ''
  const services = `${backends.join(between[balance])}${told}`
  if (tls === 'passthrough') return `all bytes pass to ${services}, where TLS ends`
  const demand = clientCertificate ? ', a client certificate is demanded' : ''
  return `TLS ends here${demand}, and what is inside passes to ${services}`
}

function whyOf(explained: Explained<Rule>): string {
  if (explained.kind === 'invalid') return 'no ClientHello with this name or these protocols is accepted'
  const { hello, reason } = explained
  const offer = hello.alpn.length > 0 ? hello.alpn.map(quoted).join(', ') : 'no protocol'
  if (explained.kind === 'refused') return refusals[explained.reason](quoted(hello.sni ?? ''), offer)
  const { rule } = explained
  const protocol = rule.alpn ? hello.alpn.find((name) => rule.alpn?.includes(name)) : undefined
  const taken = protocol ?? (rule.alpn ? 'clients that offer none' : 'whatever is offered')
  return `${matches[reason as NameReason](quoted(hello.sni ?? ''))}, and takes ${protocol ? quoted(taken) : taken}`
}

const matches: { readonly [reason in NameReason]: (name: string) => string } = {
  exact_name: (name) => `it names ${name}`,
  wildcard_name: (name) => `its wildcard stands for ${name}`,
  pattern_name: (name) => `an expression of its sni_pattern stands for ${name}`,
  any_name: (name) => `its \`*\` stands for ${name}, which no route names`,
  no_name: () => 'it is for hellos without a server name',
}

const refusals: { readonly [reason in RouteReason]: (name: string, offer: string) => string } = {
  no_route_for_sni: (name) => `no route names ${name} or stands for it`,
  no_route_without_sni: () => 'no route is for hellos without a server name',
  no_route_for_alpn: (_, offer) => `no route of this name takes ${offer}; a less specific name is not asked then`,
}
