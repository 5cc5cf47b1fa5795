/** Who the database is, is decided as its resource says: by name and issuer, by the issuer alone, or not at all. */
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import type { UpstreamTls } from '../../../core/access/tls.ts'
import { issue } from '../../cli/certificates.ts'
import { pgDocument, putDocuments } from '../../proxies.ts'
import { echo, message, politely, startDatabase } from './database.ts'
import { grantFor, newWorld, Tunnel } from './world.ts'

/** Answers SSLRequest with `S`, and speaks Postgres behind it. */
const behindTls = (cert: string, key: string) => (raw: Socket) => {
  raw.once('data', () => {
    raw.pause()
    raw.write('S')
    const secureContext = createSecureContext({ cert, key })
    const socket = new TLSSocket(raw, { isServer: true, secureContext })
    socket.on('error', () => undefined)
    politely(echo, 'startup')(socket)
  })
}

async function connectWith(tls: (ca: string) => UpstreamTls, names: readonly string[]) {
  const ca = await issue('CA', { isCa: true })
  const own = await issue('db', { by: ca, names })
  const database = await startDatabase(behindTls(own.pem, own.key))
  const world = await newWorld({ tap: false, database })
  const { admin, lea, proxy } = world
  const document = pgDocument('pg-1', { uri: `localhost:${database.port}` })
  if (document.kind !== 'db') throw new Error('no db')
  await putDocuments(admin, { ...document, spec: { ...document.spec, tls: tls(ca.pem) } })
  await proxy.serving.trust.ask()
  const tunnel = await Tunnel.open(proxy)
  return { tunnel, ...(await tunnel.connect(await grantFor(world, lea), lea)) }
}

test.for([
  ['verify-full, its name', (ca: string): UpstreamTls => ({ mode: 'verify-full', ca_cert: ca }), ['localhost']],
  [
    'verify-full, the name that the resource gives it',
    (ca: string): UpstreamTls => ({ mode: 'verify-full', ca_cert: ca, server_name: 'db.internal' }),
    ['db.internal'],
  ],
  ['verify-ca, any name', (ca: string): UpstreamTls => ({ mode: 'verify-ca', ca_cert: ca }), ['elsewhere']],
  ['insecure, anything', (): UpstreamTls => ({ mode: 'insecure' }), ['elsewhere']],
] as const)('%s: it opens, and bytes pass', async ([, tls, names]) => {
  const { tunnel, status } = await connectWith(tls, names)
  expect(status).toBe(200)
  tunnel.start()
  await tunnel.until((said) => said.endsWith('Z\0\0\0\x05I'))
  tunnel.socket.write(message('Q', 'select 1\0'))
  await tunnel.until((said) => said.includes('select 1'))
})

test.for([
  ['verify-full, another name', (ca: string): UpstreamTls => ({ mode: 'verify-full', ca_cert: ca }), ['elsewhere']],
  ['verify-full, roots of the system', (): UpstreamTls => ({ mode: 'verify-full' }), ['localhost']],
  ['verify-ca, another issuer', (): UpstreamTls => ({ mode: 'verify-ca' }), ['localhost']],
] as const)('%s: it is refused', async ([, tls, names]) => {
  const { status, json } = await connectWith(tls, names)
  expect(status).toBe(502)
  expect(json['message']).toContain('not accepted')
})
