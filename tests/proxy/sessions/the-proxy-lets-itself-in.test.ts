/** The proxy's own credential stands in for the client's, which the client then never has. */
import { chmodSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { beforeEach, describe, expect, test } from 'vitest'
import type { DbDocument } from '../../../core/access/db.ts'
import { issue, newCa } from '../../cli/certificates.ts'
import { missingPostgres } from '../../postgres.ts'
import { pgDocument, putDocuments } from '../../proxies.ts'
import { certify, filesOf, isReady, psqlTo, startDirect } from './certificate.ts'
import { message, startDatabase, welcome } from './database.ts'
import { passwordFor, postgresWorld, tlsOf } from './postgres-world.ts'
import { newWorld } from './world.ts'

const missing = missingPostgres()
const notLetIn = 'The database does not let the proxy in as "reader"'

describe('a real PostgreSQL, which wants SCRAM', () => {
  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing)
  })

  test('psql has no password, and is in', async () => {
    const world = await postgresWorld({ databases: [passwordFor()] })
    const psql = psqlTo(world.proxy, filesOf(world.proxy, await certify(world)), ['-w', '-c', 'select current_user'])
    expect(await psql.ended, psql.stderr()).toBe(0)
    expect(psql.stdout()).toBe('reader\n')
  })

  test('over TLS, with the exchange bound to the certificate of the server', async () => {
    const ca = await newCa('CA')
    const own = await issue('127.0.0.1', { by: ca, ips: ['127.0.0.1'] })
    const world = await postgresWorld({ databases: [passwordFor()], settings: tlsOf(own) })
    const document = pgDocument('pg-1', { uri: world.database.uri }) as DbDocument
    const tls = { mode: 'verify-full', ca_cert: ca.pem } as const
    await putDocuments(world.admin, { ...document, spec: { ...document.spec, tls } })
    await world.proxy.serving.trust.ask()
    const files = filesOf(world.proxy, await certify(world))
    const psql = psqlTo(world.proxy, files, ['-w', '-c', 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'])
    expect(await psql.ended, psql.stderr()).toBe(0)
    expect(psql.stdout()).toBe('t\n')
  })

  test('a wrong password: the client is told that, and the operator what the server said', async () => {
    const credential = passwordFor('wrong horse')
    const world = await postgresWorld({ databases: [credential] })
    const files = filesOf(world.proxy, await certify(world))
    const psql = psqlTo(world.proxy, files, ['-w', '-c', 'select 1'])
    expect(await psql.ended).toBe(2)
    expect(psql.stderr()).toContain(notLetIn)
    expect(psql.stderr()).not.toContain('password')
    const line = world.proxy.log.find((one) => one.message === 'not let in by the database')
    expect(line?.['detail']).toContain('password authentication failed for user "reader" (28P01)')
    await expect.poll(world.proxy.codes).toContain('upstream_login_failed')
    // The right one is read with the next session.
    writeFileSync(credential.passwordFile, 'correct horse\n')
    expect(await psqlTo(world.proxy, files, ['-w', '-c', 'select 1']).ended).toBe(0)
  })

  test('without an entry for the user the password stays the client’s', async () => {
    const world = await postgresWorld({ databases: [passwordFor('correct horse', ['somebody'])] })
    const files = filesOf(world.proxy, await certify(world))
    expect(await psqlTo(world.proxy, files, ['-w', '-c', 'select 1']).ended).toBe(2)
    const given = psqlTo(world.proxy, files, ['-w', '-c', 'select 1'], { PGPASSWORD: 'correct horse' })
    expect(await given.ended, given.stderr()).toBe(0)
  })
})

test('a file that others can read is not used', async () => {
  const credential = passwordFor()
  const world = await newWorld({ tap: false, databases: [credential] })
  chmodSync(credential.passwordFile, 0o640)
  const said = await (await startDirect(world.proxy, { certified: await certify(world) })).closed
  expect(said).toContain(notLetIn)
  expect(world.proxy.log.find((one) => one.message === 'no credential')?.['detail']).toContain('can be read by others')
})

const u32 = (number: number) =>
  String.fromCharCode(number >>> 24, (number >> 16) & 255, (number >> 8) & 255, number & 255)
const ask = (kind: number, more = '') => message('R', u32(kind) + more)

/** A server without TLS that answers the startup message and each that follows with what the test says. */
const answering = (...answers: readonly ((heard: string) => Buffer)[]) =>
  startDatabase((socket: Socket) => {
    let at = -2
    socket.on('data', (bytes: Buffer) => {
      at += 1
      if (at === -1) socket.write('N')
      else socket.write(answers[at]?.(bytes.toString('latin1')) ?? '')
    })
  })

const scramAsk = () => ask(10, 'SCRAM-SHA-256\0\0')
const salted = (heard: string) => {
  const [, nonce = ''] = /r=([^,]+)$/.exec(heard) ?? []
  return ask(11, `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
}

test.for([
  ['md5 is refused by name', [() => ask(5, 'salt')], 'md5'],
  ['the password is not sent in the clear', [() => ask(3)], 'in the clear'],
  ['something that nobody knows', [() => ask(7)], 'not known here (7)'],
  ['no SCRAM-SHA-256', [() => ask(10, 'SCRAM-SHA-1\0\0')], 'offers no SCRAM-SHA-256'],
  ['no challenge', [scramAsk, () => ask(11, 'x')], 'not sound'],
  ['a wrong signature', [scramAsk, salted, () => ask(12, `v=${'A'.repeat(43)}=`)], 'does not know the password'],
  ['no signature at all', [scramAsk, salted, () => welcome], 'did not show that it knows the password'],
  ['no Postgres', [() => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], 'no Postgres server'],
] as const)('a server that is not sound: %s', async ([, answers, why]) => {
  const database = await answering(...answers)
  const world = await newWorld({ tap: false, database, databases: [passwordFor()] })
  const said = await (await startDirect(world.proxy, { certified: await certify(world) })).closed
  expect(said).toContain(notLetIn)
  const line = world.proxy.log.find((one) => one.message === 'not let in by the database')
  expect(line?.['detail']).toContain(why)
  expect(database.connections[0]?.said()).not.toContain('correct horse')
})

test.for([
  ['that nothing vouches for', 'insecure', false],
  ['that is verified', 'verify-full', true],
] as const)('a server with TLS %s is told the password in the clear: %s, %s', async ([, mode, told]) => {
  const ca = await newCa('CA')
  const own = await issue('127.0.0.1', { by: ca, ips: ['127.0.0.1'] })
  let heard = ''
  const database = await startDatabase((socket) => {
    socket.once('data', () => {
      socket.write('S')
      const secured = new TLSSocket(socket, { isServer: true, cert: own.pem, key: own.key })
      secured.on('error', () => undefined)
      secured.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1')
        secured.write(heard.includes('correct horse') ? welcome : ask(3))
      })
    })
  })
  const world = await newWorld({ tap: false, database, databases: [passwordFor()] })
  const document = pgDocument('pg-1', { uri: database.uri }) as DbDocument
  const tls = mode === 'insecure' ? { mode } : { mode, ca_cert: ca.pem }
  await putDocuments(world.admin, { ...document, spec: { ...document.spec, tls } })
  await world.proxy.serving.trust.ask()
  const client = await startDirect(world.proxy, { certified: await certify(world) })
  if (told) await client.until(isReady)
  else expect(await client.closed).toContain(notLetIn)
  expect(heard.includes('correct horse')).toBe(told)
})

test('a server that asks for nothing lets in, and one that says nothing is not waited for', async () => {
  const open = await newWorld({ tap: false, databases: [passwordFor()] })
  await (await startDirect(open.proxy, { certified: await certify(open) })).until(isReady)
  const database = await answering()
  const mute = await newWorld({ tap: false, database, databases: [passwordFor()], limits: { startupMs: 400 } })
  const said = await (await startDirect(mute.proxy, { certified: await certify(mute) })).closed
  expect(said).toContain('has not answered in time')
  expect(mute.proxy.serving.sessions.count).toBe(0)
})
