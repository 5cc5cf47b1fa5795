/** A real sshd of the test's own on loopback, which lets in the key of the test and nobody else. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { freePort, newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { type Ran, run, serving } from './front.ts'

export interface OpenSsh {
  readonly uri: string
  /** The public host key, as ssh-keyscan prints it. */
  readonly hostKey: string
  /** The file of the key that it lets in. */
  readonly identity: string
  /** Runs a command there, through whatever listens on that port of this machine. */
  ssh(port: number, ...command: readonly string[]): Promise<Ran>
}

const keygen = (file: string) => {
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
  if (made.status !== 0) throw new Error(String(made.stderr))
}

export async function startOpenSsh(): Promise<OpenSsh> {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const [host, user] = [join(folder, 'host'), join(folder, 'user')]
  for (const file of [host, user]) keygen(file)
  // Of root's only, and Debian makes it where it starts the service.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const port = await freePort()
  const config = join(folder, 'sshd_config')
  writeFileSync(
    config,
    `ListenAddress 127.0.0.1
Port ${port}
HostKey ${host}
AuthorizedKeysFile ${user}.pub
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
`,
  )
  await serving(port, '/usr/sbin/sshd', ['-D', '-e', '-f', config])
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
  const given = options.flatMap((option) => ['-o', option])
  const hostKey = readFileSync(`${host}.pub`, 'utf8').split(' ')[1] ?? ''
  return {
    uri: `127.0.0.1:${port}`,
    hostKey,
    identity: user,
    ssh: (to, ...command) =>
      run('ssh', [
        '-F',
        'none',
        ...given,
        '-i',
        user,
        '-p',
        String(to),
        `${userInfo().username}@127.0.0.1`,
        ...command,
      ]),
  }
}
