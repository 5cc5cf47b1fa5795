/** A host that no document describes, named by the role that Lea holds, and a resolver that says what the test says. */
import type { HostRule } from '../../../core/access/host-rule.ts'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import type { RoleConditions, RoleDocument, RoleOptions } from '../../../core/access/role.ts'
import type { Resolve } from '../../../proxy/upstream.ts'
import { putDocuments } from '../../proxies.ts'
import { roleFor, startEcho } from './kinds.ts'
import { grantFor, nameOf, newWorld, Tunnel, type World } from './world.ts'

export interface HostWorld extends World {
  /** Where it answers, of whatever name. */
  readonly port: number
  /** Names that the resolver was asked for, in order. */
  readonly resolved: readonly string[]
  /** What it says: the last answer again, once the others are used up. */
  readonly answers: string[][]
  /** Connections that reached the server behind. */
  readonly reached: readonly unknown[]
}

export const anyPort = ['1-65535']
/** As an administrator writes what these tests stand on: a network of this machine. */
export const here = ['127.0.0.0/8']

/** The role says this from now on, at the proxy too. */
export async function say(
  { admin, proxy }: Pick<World, 'admin' | 'proxy'>,
  allow: readonly HostRule[],
  deny: RoleConditions = {},
  tap = false,
): Promise<void> {
  const role = roleFor({ hosts: allow }, tap) as RoleDocument
  await putDocuments(admin, { ...role, spec: { ...role.spec, deny } })
  await proxy.serving.trust.ask()
}

/** And under these options. */
export async function limitTo({ admin, proxy }: World, hosts: readonly HostRule[], options: RoleOptions) {
  const role = roleFor({ hosts }, false) as RoleDocument
  await putDocuments(admin, { ...role, spec: { ...role.spec, options } })
  await proxy.serving.trust.ask()
}

interface HostOptions {
  readonly tap?: boolean
  readonly answers?: string[][]
  readonly site?: NonNullable<Parameters<typeof newWorld>[0]>['site']
}

/** Every name is on this machine, unless `answers` say otherwise. */
export async function newHostWorld(
  allow: readonly HostRule[] = [{ name: '*.internal', ports: anyPort, networks: here }],
  { tap = false, answers = [['127.0.0.1']], site = {} }: HostOptions = {},
): Promise<HostWorld> {
  const server = await startEcho()
  const resolved: string[] = []
  const resolve: Resolve = async (host) => {
    resolved.push(host)
    return (answers.length > 1 ? answers.shift() : answers[0]) ?? []
  }
  const world = await newWorld({ tap, resolve, site })
  await say(world, allow, {}, tap)
  return { ...world, port: server.port, resolved, answers, reached: server.connections }
}

export const askForHost = ({ proxy }: Pick<World, 'proxy'>, name: string): SessionAsk => ({
  resource: { kind: 'host', name },
  principal: {},
  proxy: nameOf(proxy),
})

/** A grant, and what CONNECT is answered with it. */
export async function openHost(world: World, name: string, wrong: Parameters<Tunnel['connect']>[2] = {}) {
  const grant = await grantFor(world, world.lea, askForHost(world, name))
  const tunnel = await Tunnel.open(world.proxy)
  tunnel.socket.allowHalfOpen = true
  return Object.assign(tunnel, { grant, answered: await tunnel.connect(grant, world.lea, { name, ...wrong }) })
}
