/** `proxy ssh` as ssh's and scp's ProxyCommand: a real sshd, the real clients, and from `npm start` on all parts are real. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { missing } from '../proxy/front/front.ts'
import { type OpenSsh, startOpenSsh } from '../proxy/front/openssh.ts'
import { atEnd } from '../proxy/proxy.ts'
import { atNewEdge } from './db/at-new-edge.ts'
import { program, type Running, watch } from './run-cli.ts'
import { answerIn } from './tls-edge.ts'

const lacking = missing('ssh', 'scp', 'ssh-keygen', '/usr/sbin/sshd')
const me = userInfo().username

const roles = [true, false]
  .map(
    (tap) => `kind: role
version: v7
metadata: { name: hosts-${tap ? 'tapped' : 'free'} }
spec:
  options: { require_session_mfa: ${tap} }
  allow: { node_labels: { tap: "${tap}" }, logins: [${me}] }
`,
  )
  .join('---\n')
const node = (name: string, addr: string, tap: boolean) => `kind: node
version: v2
metadata: { name: ${name}, labels: { tap: "${tap}" } }
spec: { addr: "${addr}" }
`

describe('a host behind ssh’s ProxyCommand', () => {
  const at = atNewEdge({ lacking, documents: () => roles, roles: 'hosts-tapped,hosts-free' })
  const { cli, environment } = at

  /** ssh or scp, with nothing but this command between it and the host. */
  function through(client: 'ssh' | 'scp', { identity }: Pick<OpenSsh, 'identity'>, ...args: string[]): Running {
    const command = `${process.execPath} ${program} proxy ssh %h --login=%r --profile=lea --no-browser`
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
    const given = [`ProxyCommand=${command}`, ...options].flatMap((option) => ['-o', option])
    const child = spawn(client, ['-F', 'none', ...given, '-i', identity, ...args], {
      env: environment(),
      stdio: 'pipe',
    })
    atEnd(() => child.kill('SIGKILL'))
    child.stdin.end()
    return watch(child, 60_000)
  }

  const host = async (name: string, tap: boolean) => {
    const sshd = await startOpenSsh()
    await at.people.create(at.ada, 'ada', node(name, sshd.uri, tap))
    return sshd
  }
  const direct = (args: readonly string[], input = '') =>
    cli.start(['proxy', 'ssh', ...args, '--profile=lea', '--no-browser'], environment(), input)

  test('a command runs, its input and output pass whole, and its exit code is ssh’s', async () => {
    const sshd = await host('web-1', false)
    const ran = through('ssh', sshd, `${me}@web-1`, 'head -c 3000000 /dev/zero | tr "\\0" x; echo over >&2; exit 7')
    const { code, stdout, stderr } = await ran.ended
    expect({ code, length: stdout.length, stderr }).toEqual({ code: 7, length: 3_000_000, stderr: 'over\n' })
  })

  test('where a role wants a tap the page is told on stderr, and one tap is one session', async () => {
    const sshd = await host('web-2', true)
    const running = through('ssh', sshd, `${me}@web-2`, 'echo tapped')
    await answerIn(running, at.lea)
    expect(await running.ended).toMatchObject({ code: 0, stdout: 'tapped\n' })
    const refused = through('ssh', sshd, `${me}@web-2`, 'echo tapped')
    await answerIn(refused, at.lea, 'no')
    expect(await refused.ended).toMatchObject({ code: 255, stdout: '', stderr: expect.stringContaining('error:') })
  })

  test('scp carries a file there and back', async () => {
    const sshd = await host('web-3', false)
    const [from, there, back] = ['from', 'there', 'back'].map((name) => join(cli.home, name)) as [
      string,
      string,
      string,
    ]
    writeFileSync(from, randomBytes(2_000_000))
    expect((await through('scp', sshd, from, `${me}@web-3:${there}`).ended).code).toBe(0)
    expect((await through('scp', sshd, `${me}@web-3:${there}`, back).ended).code).toBe(0)
    expect(readFileSync(back).equals(readFileSync(from))).toBe(true)
  })

  test('the end of input is the end of that side alone, and all ends with exit code 0', async () => {
    // It answers once it has heard all, which a client that is closed whole would never hear.
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let heard = 0
      socket.on('data', (part: Buffer) => {
        heard += part.length
      })
      socket.on('end', () => socket.end(`${heard} bytes`))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    atEnd(() => server.close())
    const { port } = server.address() as { port: number }
    await at.people.create(at.ada, 'ada', node('counts', `127.0.0.1:${port}`, false))
    const ended = await direct(['counts', `--login=${me}`], 'x'.repeat(300_000)).ended
    expect(ended).toEqual({ code: 0, stdout: '300000 bytes', stderr: '' })
  })

  test('what breaks off is no clean end: exit code 5', async () => {
    const server = createServer((socket) => {
      socket.write('half')
      socket.once('data', () => socket.resetAndDestroy())
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    atEnd(() => server.close())
    const { port } = server.address() as { port: number }
    await at.people.create(at.ada, 'ada', node('breaks', `127.0.0.1:${port}`, false))
    const { code, stderr } = await direct(['breaks', `--login=${me}`], 'x').ended
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('the session broke off') })
  })

  test.for([
    [['web-9', `--login=${me}`], 3, 'no role of yours reaches node/web-9'],
    [['counts', '--login=somebody'], 3, 'No role of yours allows'],
    [['counts'], 2, '--login is not given'],
    [[], 2, 'something is missing'],
  ] as const)('%j is refused before a byte passes: exit code %i', async ([args, code, why]) => {
    const ended = await direct(args, 'SSH-2.0-x\r\n').ended
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(why)
  })
})
