/** Reading settings out of variables, for each room that has some: a wrong one is refused by name, with what would be right. */
import { SetupProblem } from './setup-problem.ts'

export type Variables = Readonly<Record<string, unknown>>

export const read = (variables: Variables, name: string): string | undefined => {
  const value = variables[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The address that people open: the one WebAuthn origin. */
export function parsePublicUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const bare =
    url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (!url || !bare)
    throw new SetupProblem(
      `SALLYPORT_PUBLIC_URL is ${JSON.stringify(text)}`,
      'use scheme, host and port only, such as https://access.example.com',
    )
  const isLocal = url.hostname === 'localhost' || url.hostname.endsWith('.localhost')
  if (url.protocol !== 'https:' && !(isLocal && url.protocol === 'http:')) {
    throw new SetupProblem(
      `SALLYPORT_PUBLIC_URL is ${text}`,
      'use https: browsers allow passkeys over plain http on localhost only',
    )
  }
  if (/^[\d.]+$|^\[/.test(url.hostname)) {
    throw new SetupProblem(`SALLYPORT_PUBLIC_URL is ${text}`, 'use a name: browsers allow no passkeys on an address')
  }
  return url
}

export function whole(variables: Variables, name: string, fallback: number, most: number): number {
  const text = read(variables, name) ?? String(fallback)
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > most) {
    throw new SetupProblem(
      `${name} is ${JSON.stringify(text)}`,
      `use a whole number from 1 to ${most}, or leave it unset for ${fallback}`,
    )
  }
  return number
}
