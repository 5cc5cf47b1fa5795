/** The one place where the edge reads its environment: Workers variables, or process.env in serve.ts. */
import { parseSecret } from '../core/keys.ts'
import { type Bytes, utf8 } from '../core/lib/bytes.ts'
import { sha256 } from '../core/lib/hash.ts'
import type { Site } from '../core/model.ts'
import { parsePublicUrl, read, type Variables, whole } from '../core/settings.ts'
import { SetupProblem } from '../core/setup-problem.ts'

/** `SALLYPORT_PUBLIC_URL`, `SALLYPORT_RP_ID` (its host, or a domain above it), `SALLYPORT_CLUSTER` (its host). */
export function readSite(variables: Variables, fallbackUrl?: string): Site {
  const text = read(variables, 'SALLYPORT_PUBLIC_URL') ?? fallbackUrl
  if (text === undefined)
    throw new SetupProblem(
      'SALLYPORT_PUBLIC_URL is not set',
      'set it to the address that people open, such as https://access.example.com',
    )
  const url = parsePublicUrl(text)
  const rpId = read(variables, 'SALLYPORT_RP_ID') ?? url.hostname
  if (rpId !== url.hostname && !url.hostname.endsWith(`.${rpId}`)) {
    throw new SetupProblem(
      `SALLYPORT_RP_ID is ${rpId}, which is not ${url.hostname} or a domain above it`,
      'leave it unset to use the host of the public URL',
    )
  }
  const cluster = read(variables, 'SALLYPORT_CLUSTER') ?? url.hostname
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(cluster)) {
    throw new SetupProblem(
      `SALLYPORT_CLUSTER is ${JSON.stringify(cluster)}`,
      'use 1 to 63 lower case letters, digits, dots and dashes',
    )
  }
  return { cluster, origin: url.origin, rpId, rpIdHash: sha256(utf8(rpId)) }
}

export function readKey(variables: Variables): Bytes | undefined {
  const text = read(variables, 'SALLYPORT_KEY')
  if (text === undefined) return undefined
  const secret = parseSecret(text)
  if (!secret)
    throw new SetupProblem(
      'SALLYPORT_KEY is not 32 bytes in base64url',
      'it has 43 letters, digits, - and _; take it from where it was stored when the cluster was made',
    )
  return secret
}

export interface ServeSettings {
  readonly port: number
  readonly home: string
  readonly failedLoginsAMinute: number
  /** The header in which a reverse proxy of ours tells a client's address, last in the list. Without one it is believed by nobody. */
  readonly addressHeader: string | undefined
  /** Set by `npm start`: the public key of the proxy that it runs beside this edge. */
  readonly localProxy: string | undefined
}

/**
 * `SALLYPORT_EDGE_PORT` (3080), `SALLYPORT_HOME` (.sallyport), `SALLYPORT_LOGIN_LIMIT` (10 failures a minute an address),
 * `SALLYPORT_ADDRESS_HEADER` (none).
 */
export function readServeSettings(variables: Variables): ServeSettings {
  return {
    port: whole(variables, 'SALLYPORT_EDGE_PORT', 3080, 65_535),
    home: read(variables, 'SALLYPORT_HOME') ?? '.sallyport',
    failedLoginsAMinute: whole(variables, 'SALLYPORT_LOGIN_LIMIT', 10, 1_000_000_000),
    addressHeader: read(variables, 'SALLYPORT_ADDRESS_HEADER'),
    localProxy: read(variables, 'SALLYPORT_LOCAL_PROXY'),
  }
}

/** The process's environment, where there is a process: Node, Deno, Bun. */
export const processVariables = (): Variables => (globalThis as { process?: { env?: Variables } }).process?.env ?? {}
