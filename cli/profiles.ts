/**
 * What the CLI keeps between calls: one file a profile, and `current`. A profile holds a key and a refresh token, so
 * nothing is read that others could have read or written.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { list, type Of, object, oneOf, optional, text, whole } from '../core/api/shape.ts'
import type { Json } from '../core/intent.ts'
import { Refusal } from '../core/refusal.ts'
import { addressText, parseAddress } from './address.ts'
import { Problem } from './problem.ts'
import { environment, configFolder as folder } from './profile.ts'
import { quoted } from './quoted.ts'

export const fileOf = (name: string): string => join(folder(), `${name}.json`)
const currentFile = () => join(folder(), 'current')

const shape = object({
  v: whole,
  /** HOST:PORT. */
  proxy: text(512),
  issuer: text(2048),
  token_endpoint: text(2048),
  revocation_endpoint: text(2048),
  /** Certificates in PEM that alone are trusted. Missing: the roots of the system. */
  ca: optional(text(1 << 20)),
  /** P-256, private: its thumbprint binds the tokens (RFC 9449). */
  key: object({ kty: oneOf(['EC']), crv: oneOf(['P-256']), x: text(43), y: text(43), d: text(43) }),
  tokens: object({ access: text(8192), access_expires_at: whole, refresh: text(512) }),
  /** As the edge said at the last login or status. Times are seconds since 1970. */
  who: object({
    user: text(256),
    cluster: text(256),
    roles: list(text(256), 64),
    /** `device_flow`: a headless login. Missing where an older sallyport signed in: then it is none. */
    via: optional(oneOf(['browser', 'device_flow'])),
    auth_time: whole,
    valid_until: whole,
  }),
})
export type Profile = Of<typeof shape>
export type Tokens = Profile['tokens']
export const profileVersion = 1

const validName = /^\w[\w.-]{0,99}$/

/** @throws Problem usage */
export function requireName(name: string): string {
  if (validName.test(name)) return name
  throw new Problem('usage', `${JSON.stringify(name)} is not the name of a profile`, 'use letters, digits and . _ -')
}

/** `localhost:3443` is kept as `localhost_3443`. */
export const nameOf = (proxy: string): string => proxy.replaceAll(/[^A-Za-z0-9.-]/g, '_').replace(/^[.-]/, '_')

/** The profile that a call means: the flag, SALLYPORT_PROFILE, SALLYPORT_PROXY, the current one. */
export function selectedName(flag: string | undefined): string | undefined {
  const { profile, proxy } = environment()
  const name = flag ?? profile ?? (proxy && nameOf(addressText(parseAddress(proxy)))) ?? currentName()
  return name === undefined ? undefined : requireName(name)
}

/** @throws Problem signIn where there is none */
export function requireProfile(flag: string | undefined): { name: string; profile: Profile } {
  const name = selectedName(flag)
  const profile = name === undefined ? undefined : readProfile(name)
  if (name !== undefined && profile) return { name, profile }
  const what = name === undefined ? 'nobody is signed in here' : `there is no profile ${name}`
  throw new Problem('signIn', what, 'sallyport login --proxy=HOST:PORT')
}

export function readProfile(name: string): Profile | undefined {
  const file = fileOf(name)
  const content = readOwn(file)
  if (content === undefined) return undefined
  const damaged = (why: string, cause?: unknown) =>
    new Problem('failed', `the profile ${file} is damaged (${why})`, `rm ${quoted(file)}, then sallyport login`, {
      cause,
    })
  const json = parseJson(content)
  if (json === undefined) throw damaged('no JSON')
  const version = typeof json === 'object' && json !== null && 'v' in json ? json['v'] : undefined
  if (typeof version === 'number' && version > profileVersion) {
    throw new Problem('failed', `a newer sallyport wrote the profile ${file}`, 'update sallyport')
  }
  try {
    return shape(json, 'profile')
  } catch (error) {
    if (error instanceof Refusal) throw damaged(String(error.detail['why']), error)
    throw error
  }
}

function parseJson(content: string): Json | undefined {
  try {
    return JSON.parse(content) as Json
  } catch {
    return undefined
  }
}

export function writeProfile(name: string, profile: Profile): void {
  replace(fileOf(name), `${JSON.stringify(profile, undefined, 2)}\n`)
}

/**
 * Puts in the tokens that a refresh brought. Another process may have refreshed or signed in meanwhile: its newer tokens
 * stay, because a token that was followed by two others would look stolen to the edge.
 */
export function replaceTokens(name: string, used: string, tokens: Tokens): void {
  const now = readProfile(name)
  if (now?.tokens.refresh === used) writeProfile(name, { ...now, tokens })
}

/** What the edge said just now, for `status --offline` later. */
export function replaceWho(name: string, who: Profile['who']): void {
  const now = readProfile(name)
  if (now) writeProfile(name, { ...now, who })
}

export function currentName(): string | undefined {
  const name = readOwn(currentFile())?.trim()
  return name !== undefined && validName.test(name) ? name : undefined
}

export const useProfile = (name: string): void => replace(currentFile(), `${name}\n`)

export function removeProfile(name: string): void {
  rmSync(fileOf(name), { force: true })
  if (currentName() === name) rmSync(currentFile(), { force: true })
}

export function profileNames(): string[] {
  if (!folderIsOurs()) return []
  return readdirSync(folder())
    .flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []))
    .filter((name) => validName.test(name))
    .sort()
}

/** Whether it exists; refused where others could have put something there. */
function folderIsOurs(): boolean {
  const stats = look(folder())
  if (stats) requireOurs(folder(), stats, '700')
  return stats !== undefined
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw notOurs(path, `cannot be reached (${(error as { code?: string }).code})`, 'check HOME and XDG_CONFIG_HOME')
  }
}

/** The content, or undefined where there is no such file. */
function readOwn(file: string): string | undefined {
  if (!folderIsOurs()) return undefined
  const opened = open(file)
  if (opened === undefined) return undefined
  try {
    requireOurs(file, fstatSync(opened), '600')
    return readFileSync(opened, 'utf8')
  } finally {
    closeSync(opened)
  }
}

/** Never through a symbolic link, and without waiting for the writer of a pipe. */
function open(file: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw notOurs(file, 'is a symbolic link', `rm ${quoted(file)}, then sallyport login`)
    throw notOurs(file, `cannot be read (${code})`, `chmod 600 ${quoted(file)}`)
  }
}

const notOurs = (path: string, why: string, hint: string) => new Problem('failed', `${path} ${why}`, hint)

function requireOurs(path: string, stats: Stats, mode: '600' | '700'): void {
  const [kind, isKind] = mode === '700' ? ['folder', stats.isDirectory()] : ['file', stats.isFile()]
  if (stats.isSymbolicLink()) throw notOurs(path, 'is a symbolic link', `rm ${quoted(path)}, then sallyport login`)
  if (!isKind) throw notOurs(path, `is not a ${kind}`, `move it away, then sallyport login`)
  if (stats.uid !== process.getuid?.()) throw notOurs(path, 'belongs to another user', `chown "$USER" ${quoted(path)}`)
  if ((stats.mode & 0o077) === 0) return
  const octal = (stats.mode & 0o777).toString(8)
  throw notOurs(path, `is open to other users (mode ${octal})`, `chmod ${mode} ${quoted(path)}`)
}

/** Whole or not at all, and on the disk before it counts. */
function replace(file: string, content: string): void {
  const isThere = folderIsOurs()
  const draft = `${file}.${process.pid}.${crypto.randomUUID()}`
  try {
    if (!isThere) mkdirSync(folder(), { recursive: true, mode: 0o700 })
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw notOurs(
      file,
      `cannot be written (${(error as { code?: string }).code})`,
      'make room, or make the folder writable',
    )
  }
  const opened = openSync(folder(), constants.O_RDONLY)
  fsyncSync(opened)
  closeSync(opened)
}
