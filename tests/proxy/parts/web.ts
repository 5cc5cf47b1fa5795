/** A web server whose every path has its own bytes, in the clear and with TLS. */
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTls } from 'node:https'
import { issue, newCa } from '../../cli/certificates.ts'
import { filesOf, listening } from '../routes/routes.ts'

export const webName = 'web.test'
/** Where the proxy ends TLS. */
export const frontName = 'front.test'

/** What stands at a path: 200 kB of text that no other has. */
export const textAt = (path: string): string =>
  Array.from({ length: 4000 }, (_, at) => `${path.padEnd(40, '.')} ${String(at).padStart(8, '0')}\n`).join('')

export interface Web {
  /** In the clear, and with TLS under `webName`. */
  readonly plain: string
  readonly uri: string
  /** Paths of what vouches for it, and of a certificate for `frontName`. */
  readonly files: Readonly<Record<'ca' | 'cert' | 'key', string>>
}

export async function startWeb(): Promise<Web> {
  const serve: RequestListener = (asked, reply) => {
    reply.setHeader('content-type', 'text/plain')
    reply.end(textAt(asked.url ?? ''))
  }
  const ca = await newCa('CA of the web')
  const [own, front] = await Promise.all(
    [webName, frontName].map((name) => issue(name, { by: ca, names: [name], ips: ['127.0.0.1'] })),
  )
  if (!own || !front) throw new Error('no certificates')
  return {
    plain: await listening(createServer(serve)),
    uri: await listening(createTls({ key: own.key, cert: own.pem }, serve)),
    files: filesOf({ ca: ca.pem, cert: front.pem, key: front.key }),
  }
}
