/** What `db login` and `app login` say of a certificate for whatever is no Postgres. */
import type { Certificate } from './certify.ts'
import { sayHowOften } from './certify.ts'
import type { Reached } from './proxy-name.ts'
import type { ServiceCommand } from './service-command.ts'
import { type Format, print, say, show } from './term.ts'

interface Written {
  readonly name: string
  readonly protocol: string
  /** For people. */
  readonly what: string
  readonly at: Reached
  readonly certificate: Certificate
  readonly use: ServiceCommand
}

/** One file has certificate and key: both are named, as clients ask for both. */
export async function showService(
  format: Format,
  { name, protocol, what, at, certificate, use }: Written,
): Promise<void> {
  const { file, until, uses } = certificate
  const where = { host: at.name, address: at.address, port: at.port, ca: at.authority ?? null }
  const rest = { cert: file, key: file, uses, expires_at: new Date(until).toISOString(), command: use.command }
  await show(format, { name, protocol, ...where, ...rest }, () => print(use.command))
  if (format !== 'text') return
  for (const line of use.more) say(line)
  sayHowOften(what, certificate)
}
