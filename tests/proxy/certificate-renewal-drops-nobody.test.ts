import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { certificatesOf } from '../../proxy/certificates.ts'
import { localCertificates } from '../../proxy/local-ca.ts'
import { newFolder, remove } from '../runtime/launch.ts'
import { atEnd, dial, head, local, needs, startProxy, until, type Wire } from './proxy.ts'

const serialOf = ({ socket }: Wire) => socket.getPeerCertificate().serialNumber

test('at half its life a certificate is replaced, and who is connected stays', async () => {
  const proxy = await startProxy({ edge: 'http://localhost:1', ttl: 4000, lookEvery: 50, limits: { idleMs: 20_000 } })
  const early = await dial(proxy)
  const ask = async () => {
    const before = early.said().length
    early.send(head('GET /.well-known/sallyport HTTP/1.1', 'Host: localhost'))
    await until(() => early.said().slice(before).endsWith('}'))
  }
  await ask()
  expect(serialOf(await dial(proxy))).toBe(serialOf(early))
  await until(() => proxy.log.some(({ message }) => message === 'certificate renewed'))
  const late = await dial(proxy)
  expect(serialOf(late)).not.toBe(serialOf(early))
  expect(late.socket.authorized).toBe(true)
  await ask()
  await expect.poll(proxy.codes).toEqual([])
})

test('one’s own files are read again when they have changed, and only if they belong together', async () => {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const source = await localCertificates(needs, folder, local)
  const files = { certificate: join(folder, 'proxy.pem'), key: join(folder, 'proxy.key') }
  const put = async (names: readonly ('cert' | 'key')[]) => {
    const issued = (await source.first()) as { cert: string; key: string }
    if (names.includes('cert')) writeFileSync(files.certificate, issued.cert)
    if (names.includes('key')) writeFileSync(files.key, issued.key)
    return issued
  }
  const first = await put(['cert', 'key'])
  const own = certificatesOf(files, needs.now)
  expect(await own.first()).toEqual(first)
  expect(await own.newer()).toBeUndefined()
  await put(['cert'])
  await expect(own.newer()).rejects.toThrow(`${files.key} is not the key of ${files.certificate}`)
  const second = await put(['cert', 'key'])
  expect(await own.newer()).toEqual(second)
  expect(new X509Certificate(second.cert).serialNumber).not.toBe(new X509Certificate(first.cert).serialNumber)
})
