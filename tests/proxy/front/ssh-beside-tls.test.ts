/** SSH says what it is and not where it wants to: one route takes it, on the port of all or on one of its own. */
import { expect, test } from 'vitest'
import { plainListener } from '../../../proxy/listeners.ts'
import { message, records, sni } from '../../core/hello-writer.ts'
import { freePort } from '../../runtime/launch.ts'
import { dial, until } from '../proxy.ts'
import { endsOf, startRoutes, startTlsService } from '../routes/routes.ts'
import { startDatabase as startService } from '../sessions/database.ts'
import { answerTo, call, missing, run } from './front.ts'
import { startOpenSsh } from './openssh.ts'

const hello = records(message(sni('a.test')))
const lacking = missing('ssh', 'ssh-keyscan', '/usr/sbin/sshd')
const ssh = { name: 'bastion', sni: [], protocol: 'ssh' } as const

test('ssh and TLS through one port at once', async (context) => {
  if (lacking) return context.skip(lacking)
  const [server, web] = [await startOpenSsh(), await startTlsService('web')]
  const proxy = await startRoutes([
    { ...ssh, backends: [server.uri] },
    { name: 'web', backends: [web.uri] },
  ])
  const wire = await dial({ port: proxy.port, ca: web.ca }, { servername: 'a.test' })
  const { code, stdout, stderr } = await server.ssh(proxy.port, 'head -c 3000000 /dev/zero | wc -c')
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '3000000\n', stderr: '' })
  await until(() => wire.said() === 'web a.test false\n')
  await expect.poll(() => endsOf(proxy)).toMatchObject([{ route: 'bastion', code: 'ended' }])
})

test('a client of SSH that waits for the server has the route only where the listener says so', async (context) => {
  if (lacking) return context.skip(lacking)
  const server = await startOpenSsh()
  const routes = [{ ...ssh, backends: [server.uri] }]
  const scan = (port: number) => run('ssh-keyscan', ['-T', '20', '-t', 'ed25519', '-p', String(port), '127.0.0.1'])
  const waiting = await startRoutes(routes, { listener: { onSilence: { afterMs: 100, route: 'bastion' } } })
  expect((await scan(waiting.port)).stdout).toContain(`ssh-ed25519 ${server.hostKey}`)
  const strict = await startRoutes(routes, { limits: { handshakeMs: 500 } })
  expect((await scan(strict.port)).stdout).toBe('')
  await expect.poll(strict.codes).toEqual(['handshake_too_slow'])
})

test('a port for SSH alone, and one for TLS alone', async () => {
  const service = await startService((socket) => void socket.on('data', (bytes) => socket.write(bytes)))
  const [forSsh, forTls] = [await freePort(), await freePort()]
  const proxy = await startRoutes([{ backends: [service.uri] }, { ...ssh, backends: [service.uri] }], {
    listeners: [
      { ...plainListener(['127.0.0.1'], forSsh), name: 'ssh', protocol: 'ssh' },
      { ...plainListener(['127.0.0.1'], forTls), name: 'tls', protocol: 'tls' },
    ],
  })
  const echoed = async (port: number, bytes: string | Uint8Array) => {
    const caller = await call(port, bytes)
    await until(() => caller.said() === Buffer.from(bytes as string, 'latin1').toString('latin1'))
    caller.socket.destroy()
  }
  await echoed(forSsh, 'SSH-2.0-x\r\n')
  await echoed(forTls, hello)
  await echoed(proxy.port, 'SSH-2.0-x\r\n')
  await echoed(proxy.port, hello)
  const refused: string[] = []
  const refusals = new Set(['tls_not_here', 'plain_connect', 'plain_ssh'])
  const passed = service.connections.length
  for (const [port, bytes, code] of [
    [forSsh, hello, 'tls_not_here'],
    [forSsh, 'CONNECT localhost:443 HTTP/1.0\r\n\r\n', 'plain_connect'],
    [forTls, 'SSH-2.0-x\r\n', 'plain_ssh'],
    [forTls, `CONNECT localhost:${forTls} HTTP/1.0\r\n\r\n`, 'plain_connect'],
  ] as const) {
    expect(await answerTo(port, bytes)).toBe('')
    refused.push(code)
    await expect.poll(() => proxy.codes().filter((one) => refusals.has(one))).toEqual(refused)
  }
  expect(service.connections).toHaveLength(passed)
})
