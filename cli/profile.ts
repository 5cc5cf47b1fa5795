/** What this machine says about the call: settings and folders. The only file of this room that reads the environment. */
import { lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import process from 'node:process'

export const variable = (name: string): string | undefined => process.env[name] || undefined

export const environment = () => ({
  profile: variable('SALLYPORT_PROFILE'),
  proxy: variable('SALLYPORT_PROXY'),
  browser: variable('BROWSER'),
  editor: variable('VISUAL') ?? variable('EDITOR'),
  /** Where `npm start` keeps the CA of its proxy. */
  serverHome: variable('SALLYPORT_HOME') ?? '.sallyport',
})

/** The XDG Base Directory Specification has a relative path ignored. */
function folderOf(name: string, usual: string): string {
  const given = variable(name)
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), usual), 'sallyport')
}

export const configFolder = (): string => folderOf('XDG_CONFIG_HOME', '.config')

/** For compiled code, so only where nobody else writes: undefined means that there is no such place. */
export function ownCacheFolder(): string | undefined {
  const folder = folderOf('XDG_CACHE_HOME', '.cache')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const stats = lstatSync(folder)
    const isOurs = stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0
    return isOurs ? folder : undefined
  } catch {
    return undefined
  }
}
