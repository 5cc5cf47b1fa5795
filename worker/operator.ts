/** What the operator does from a terminal, on the edge's own machine or, proven by SALLYPORT_KEY, for one that is deployed. */
import { addProxy, proveProxy, proxyOf } from '../core/access/proxies.ts'
import { deriveKeys, type Keys } from '../core/keys.ts'
import { type Bytes, base64url } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import { offerFirstAdministrator } from '../core/login/first-administrator.ts'
import { readName } from '../core/login/name.ts'
import { type Offered, proveOffer } from '../core/login/operator-offer.ts'
import { offerRecovery } from '../core/login/recovery.ts'
import { type Asking, type Instant, type Site, seconds } from '../core/model.ts'
import type { Ports } from '../core/ports.ts'
import { Refusal } from '../core/refusal.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { processVariables, readKey, readSite } from './env.ts'

/** The terminal, as audit rows name it. */
export const operator: Asking = {
  requestId: 'terminal',
  from: { address: 'local', place: '', browser: 'The operator’s terminal' },
}

export interface Terminal {
  readonly now: () => Instant
  readonly random: (length: number) => Bytes
  readonly print: (line: string) => void
  /** The edge on this machine. */
  readonly open: () => Promise<{ readonly site: Site; readonly ports: Ports; close(): void }>
}

/** The secret stands in the fragment: no server, proxy or log sees it there. */
export const linkOf = (origin: string, secret: string) => `${origin}/first-administrator#${secret}`

/** A new link for the first administrator. `url`: of a deployed edge. @throws SetupProblem */
export async function init(terminal: Terminal, url: string | undefined): Promise<void> {
  if (url !== undefined) return initRemote(terminal, url)
  const { site, ports, close } = await terminal.open()
  const offer = await offerFirstAdministrator(ports, operator)
  close()
  if (!offer) throw new SetupProblem('there is an administrator already', 'sign in; an administrator can invite others')
  terminal.print(`first administrator: ${linkOf(site.origin, offer.secret)}`)
}

/** The secret is made here and only its hash is sent; the proof shows that whoever asks holds SALLYPORT_KEY. */
async function initRemote(terminal: Terminal, url: string): Promise<void> {
  const { site, secret } = await offerRemote(terminal, url, { offer: 'first-administrator' })
  terminal.print(`first administrator: ${linkOf(site.origin, secret)}`)
}

async function offerRemote(terminal: Terminal, url: string, offered: Offered) {
  const { site, keys } = remoteEdge(url)
  const secret = terminal.random(32)
  const offer = { link: base64url(sha256(secret)), ...freshAsk(terminal) }
  const proof = proveOffer(keys.operator, site.cluster, offered, offer)
  const { offer: what, ...named } = offered
  await askEdge(site, `/v1/${what}/offer`, { ...offer, ...named, proof })
  return { site, secret: base64url(secret) }
}

export interface RecoverCommand {
  readonly name: string
  readonly url: string | undefined
}

/** A link by which a lost administrator, or somebody new, gets a root passkey. `url`: of a deployed edge. @throws SetupProblem */
export async function recover(terminal: Terminal, { name: typed, url }: RecoverCommand): Promise<void> {
  const name = readName(typed)
  if (name === undefined) throw new SetupProblem(`nobody can be called ${JSON.stringify(typed)}`, nameHint)
  if (url !== undefined) {
    const { site, secret } = await offerRemote(terminal, url, { offer: 'recovery', name })
    return printRecovery(terminal, site.origin, name, secret)
  }
  const { site, ports, close } = await terminal.open()
  try {
    const { secret } = await offerRecovery(ports, operator, name)
    printRecovery(terminal, site.origin, name, secret)
  } catch (error) {
    throw error instanceof Refusal ? recoveryProblem(error, name) : error
  } finally {
    close()
  }
}

const nameHint = "use 1 to 64 letters, digits, spaces and . _ @ + ' -"

function recoveryProblem(refusal: Refusal, name: string): Error {
  if (refusal.code === 'administrator_missing')
    return new SetupProblem('there is no administrator yet', 'make the first one: sallyport-edge init')
  if (refusal.code === 'user_locked')
    return new SetupProblem(`a lock is in force for ${name}`, 'recover under another name, then remove the lock')
  return refusal
}

function printRecovery({ print }: Terminal, origin: string, name: string, secret: string): void {
  print(`recovery of ${name}: ${origin}/recover#${secret}`)
  print('The link works once, for one hour, and for nobody else. When it is used, all passkeys, passwords, codes,')
  print(`sessions and links that ${name} has are removed, and the new passkey is a root of this cluster.`)
  print('Proxies that pin root fingerprints do not know it: "sallyport admin status" shows it afterwards;')
  print('put it into their configuration, and take out the one that was lost.')
}

function remoteEdge(url: string): { site: Site; keys: Keys } {
  const variables = processVariables()
  const site = readSite({ ...variables, SALLYPORT_PUBLIC_URL: url })
  const key = readKey(variables)
  if (!key) throw new SetupProblem('SALLYPORT_KEY is not set', 'set it to the secret that the deployed edge has')
  return { site, keys: deriveKeys(key) }
}

const freshAsk = ({ now, random }: Terminal) => ({
  id: base64url(random(16)),
  iat: Math.floor(now() / seconds(1)),
})

async function askEdge(site: Site, path: string, body: object): Promise<unknown> {
  const answer = await fetch(site.origin + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: site.origin },
    body: JSON.stringify(body),
  })
  const json: unknown = await answer.json().catch(() => ({}))
  if (answer.ok) return json
  const { message = 'no answer of an edge' } = json as { message?: string }
  throw new SetupProblem(
    `${site.origin} answered ${answer.status}: ${message}`,
    'check SALLYPORT_KEY, SALLYPORT_CLUSTER and the clock of this machine',
  )
}

export interface ProxiesCommand {
  readonly act: 'add' | 'ls' | 'rm'
  readonly name: string
  /** x of its Ed25519 public key. */
  readonly key: string
  readonly url: string | undefined
}

/** Which proxies may ask for snapshots. @throws SetupProblem */
export async function proxies(terminal: Terminal, { act, name, key, url }: ProxiesCommand): Promise<void> {
  if (act === 'add') return addNamed(terminal, name, key, url)
  const { ports, close } = await terminal.open()
  try {
    if (act === 'rm') await removeNamed(terminal, ports, name)
    else for (const proxy of await ports.proxies.list()) terminal.print(`${proxy.name}  ${proxy.id}`)
  } finally {
    close()
  }
}

async function addNamed(terminal: Terminal, name: string, x: string, url: string | undefined): Promise<void> {
  const proxy = proxyOf(name, x, terminal.now())
  if (!proxy) {
    throw new SetupProblem(
      'NAME or --key cannot be registered',
      'use 1 to 63 lower case letters, digits and -, and the x that "sallyport-proxy identity" shows',
    )
  }
  if (url !== undefined) {
    const { site, keys } = remoteEdge(url)
    const asked = { name, x, ...freshAsk(terminal) }
    const proof = proveProxy(keys.operator, site.cluster, asked)
    const { keys: signing } = (await askEdge(site, '/v1/proxies', { ...asked, proof })) as { keys: string[] }
    return terminal.print(proxyYaml(name, site.origin, signing))
  }
  const { site, ports, close } = await terminal.open()
  await addProxy(ports, operator, proxy)
  const signing = await ports.keyring.published()
  close()
  const keys = signing.map(({ x }) => x)
  terminal.print(proxyYaml(name, site.origin, keys))
}

/** What the proxy trusts to begin with comes from the operator's terminal, not over its own connection to the edge. */
const proxyYaml = (name: string, url: string, keys: readonly string[]): string => `# proxy.yaml of the proxy ${name}
# "sallyport-proxy check --config proxy.yaml" says what is wrong with it, "sallyport-proxy start --config proxy.yaml" starts it.
version: v1

edge:
  # Where the proxy reaches the edge. If that is not where people open it, add theirs: "public_url: ${url}".
  url: ${url}
  # The edge's signing keys of now: what the proxy believes first.
  keys:
${keys.map((x) => `    - "${x}"`).join('\n')}

# TO SET: what clients call this proxy, host names or addresses without port.
names: [proxy.example.com]

# TO SET: a certificate for these names and its key, PEM files beside this one. Without both the proxy makes an authority of its
# own, whose ca.pem each client must be given.
# cert: cert.pem
# key: key.pem

# 0.0.0.0 is every IPv4 address of the machine, "::" every IPv6 one; without hosts the proxy listens on loopback alone.
listen:
  hosts: ["0.0.0.0"]
  port: 3443

# TO SET: the folder in which "sallyport-proxy identity" made the key that is registered now, its SALLYPORT_HOME.
home: .sallyport

# How long the edge may be away before sessions in strict mode end and none opens, and before no session opens at all.
max_stale: 5m
max_offline: 1h`

async function removeNamed({ now }: Terminal, ports: Pick<Ports, 'proxies'>, name: string): Promise<void> {
  const detail = { name }
  const event = { at: now(), kind: 'proxy.remove', outcome: 'done', asking: operator, detail } as const
  await ports.proxies.remove(name, event).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error
    throw new SetupProblem(`there is no proxy ${name}`, 'see which there are: sallyport-edge proxies ls')
  })
}

/**
 * `npm start` runs a proxy beside the edge, on the same machine and as the same user: `key` comes from there.
 * @throws SetupProblem
 */
export async function registerLocalProxy(ports: Pick<Ports, 'proxies'>, key: string, now: Instant): Promise<void> {
  const proxy = proxyOf('local', key, now)
  if (!proxy) throw new SetupProblem('SALLYPORT_LOCAL_PROXY is no Ed25519 public key', 'let npm start set it')
  if (!(await ports.proxies.find(proxy.id))) await addProxy(ports, operator, proxy)
}
