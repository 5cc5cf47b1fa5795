/** The Debian packages that tests of real browsers, terminals, certificates, databases and codes need, installed where this process may. Elsewhere those tests skip. Benchmarks name their own. */
import { quietly } from './quiet.ts'

// The programs of MariaDB without their service.
const ofMariaDb = ['mariadb-server-core', 'mariadb-client-core']
const ofFront = [
  'haproxy',
  'nginx',
  'libnginx-mod-stream',
  'openssh-server',
  'openssh-client',
  'ncat',
  'curl',
  ...ofMariaDb,
  // The server's program is in there too, without its service.
  'redis-tools',
  'git',
]
const ofTests = [
  'chromium',
  'fonts-liberation',
  'tmux',
  'openssl',
  'postgresql',
  'postgresql-client',
  'oathtool',
  ...ofFront,
  'pebble',
]
const aptOptions = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3']

const isInstalled = (name: string) =>
  quietly('dpkg-query', ['--status', name]).output.includes('Status: install ok installed')

export function installDebianPackages(packages: readonly string[] = ofTests): void {
  if (process.platform !== 'linux' || !quietly('apt-get', ['--version']).ok) return
  const missing = packages.filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  if (process.getuid?.() === 0) install(missing)
  else say(`not installed, and only root may: ${missing.join(', ')}`)
}

/** An update that fails is no reason not to try: what is wanted may be known already. */
function install(names: string[]): void {
  say(`installing ${names.join(', ')}`)
  const runs = [['update'], ['install', '--yes', '--no-install-recommends', ...names]].map((args) =>
    quietly('apt-get', [...aptOptions, ...args], { DEBIAN_FRONTEND: 'noninteractive' }),
  )
  if (names.every(isInstalled)) return
  say(
    `could not install ${names.join(', ')}; the tests that need them skip\n${runs.map(({ output }) => output).join('')}`,
  )
}

function say(text: string): void {
  process.stderr.write(`tests: ${text}\n`)
}
