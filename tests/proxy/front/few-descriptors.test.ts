/** A process that may have few descriptors: strangers who hold connections make room, and it goes on serving while they do and afterwards. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort, newFolder, remove, root } from '../../runtime/launch.ts'
import { atEnd, dial, until } from '../proxy.ts'
import { startTlsService } from '../routes/routes.ts'
import { call, missing } from './front.ts'

const most = 128

test(`${most} descriptors and 400 strangers`, async (context) => {
  const lacking = process.platform === 'linux' ? missing('sh') : 'only Linux tells how many descriptors there are'
  if (lacking) return context.skip(lacking)
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [port, web] = [await freePort(), await startTlsService('web')]
  const file = join(folder, 'proxy.yaml')
  writeFileSync(
    file,
    `version: v1
edge: { url: 'http://localhost:1', keys: [${'A'.repeat(43)}] }
listen: { hosts: [127.0.0.1], port: ${port} }
names: [proxy.test]
home: home
routes:
  - { name: web, sni: [a.test], tls: passthrough, backends: ['${web.uri}'] }
`,
  )
  const limited = `ulimit -n ${most} && exec "$0" "$@"`
  const args = ['-c', limited, process.execPath, join(root, 'proxy', 'main.ts'), 'start', '--config', file]
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  atEnd(() => child.kill('SIGKILL'))
  let [ready, said] = ['', '']
  child.stdout.setEncoding('latin1').on('data', (part: string) => {
    ready += part
  })
  child.stderr.setEncoding('latin1').on('data', (part: string) => {
    said += part
  })
  await until(() => ready !== '', 60_000)
  const served = async () => {
    const wire = await dial({ port, ca: web.ca }, { servername: 'a.test' })
    await until(() => wire.said() === 'web a.test false\n', 30_000)
    wire.socket.destroy()
    await wire.closed
  }
  await served()

  const strangers = await Promise.all(Array.from({ length: 400 }, (_, at) => call(port, '', `127.0.1.${at % 250}`)))
  // Some of a network of his own, and none of them in the way.
  await served()
  const held = strangers.filter(({ socket }) => !socket.closed)
  expect(held.length).toBeGreaterThan(0)
  expect(held.length).toBeLessThanOrEqual(most / 8)
  expect(readFileSync(`/proc/${child.pid}/limits`, 'latin1')).toMatch(new RegExp(`^Max open files\\s+${most}\\s`, 'm'))
  for (const { socket } of strangers) socket.destroy()
  await served()
  expect(child.exitCode).toBe(null)
  expect(said).toContain('"code":"too_many_connections"')
  expect(said).not.toMatch(/EMFILE|cannot accept|has failed/)
})
