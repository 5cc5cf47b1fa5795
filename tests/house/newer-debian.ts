/**
 * Programs of Debian 13 for tests of clients that this machine's release is too old for: fetched from the mirror that the machine has already,
 * under Debian's signatures, and unpacked aside with their own libc. Nothing is installed. Once fetched they are kept.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Quiet, quietly, root } from './quiet.ts'

const release = 'trixie'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const programs = { psql: 'usr/lib/postgresql/17/bin/psql', kubectl: 'usr/bin/kubectl' }
export type NewerProgram = keyof typeof programs

/** The two, and every library that psql loads: what `Depends` says besides is for services and scripts. */
const packages = [
  ...['postgresql-client-17', 'kubectl', 'libc6', 'libpq5', 'libssl3t64', 'zlib1g', 'libzstd1', 'liblz4-1'],
  ...['libreadline8t64', 'libtinfo6', 'libldap2', 'libsasl2-2', 'libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3'],
  ...['libkrb5support0', 'libcom-err2', 'libkeyutils1'],
]

const longestStepMs = 120_000
const kept = join(root, 'node_modules', '.cache', `sallyport-debian-${release}`)
/** Written last. */
const manifest = 'packages.txt'
const isKept = () =>
  existsSync(join(kept, manifest)) && readFileSync(join(kept, manifest), 'utf8') === packages.join('\n')

const architectures: Partial<Record<NodeJS.Architecture, readonly [folder: string, loader: string]>> = {
  x64: ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
  arm64: ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
}

export interface Command {
  readonly program: string
  /** In front of its own arguments. */
  readonly args: readonly string[]
}

/** How it is run; undefined where it could not be had. */
export function newer(name: NewerProgram): Command | undefined {
  const [folder, loader] = architectures[process.arch] ?? []
  if (folder === undefined || loader === undefined || !isKept()) return undefined
  const libraries = join(kept, 'usr', 'lib', folder)
  return { program: join(libraries, loader), args: ['--library-path', libraries, join(kept, programs[name])] }
}

/** Why it does not run here; undefined where it does. */
export const missingNewer = (name: NewerProgram): string | undefined =>
  newer(name) === undefined ? `${name} of Debian 13 could not be fetched` : undefined

/** Bounded in time. What fails is told, and the tests that need it skip. */
export function fetchNewerDebian(): void {
  if (process.platform !== 'linux' || isKept() || !existsSync(keyring)) return
  const mirror = mirrorOf(quietly('apt-get', ['indextargets', '--format', targetFormat, 'Created-By: Packages']))
  if (mirror === undefined) return
  process.stderr.write(`tests: fetching ${Object.keys(programs).join(' and ')} of Debian 13\n`)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-debian-'))
  try {
    const failed = fetchInto(folder, mirror)
    if (failed) process.stderr.write(`tests: could not fetch them; the tests that need them skip\n${failed.output}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const targetFormat = '$(RELEASE) $(COMPONENT) $(REPO_URI)'

/** That of the release which is installed here. Whether it is Debian's is for the signature to say. */
function mirrorOf({ output }: Quiet): string | undefined {
  const [, installed = ''] = /^VERSION_CODENAME="?([a-z]+)/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? []
  const targets = output.split('\n').map((line) => line.split(' '))
  return targets.find(([codename, component]) => codename === installed && component === 'main')?.[2]
}

/** The step that failed. `folder` is for what is needed on the way. */
export function fetchInto(folder: string, mirror: string): Quiet | undefined {
  // apt gives its rights up where it fetches.
  chmodSync(folder, 0o755)
  for (const one of ['lists/partial', 'cache/archives/partial', 'debs', 'unpacked'])
    mkdirSync(join(folder, one), { recursive: true })
  writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${release} main\n`)
  writeFileSync(join(folder, 'status'), '')
  const debs = join(folder, 'debs')
  const run = (command: string, ...args: readonly string[]) =>
    quietly(command, args, { LC_ALL: 'C' }, { cwd: debs, timeout: longestStepMs })
  const unpacked = join(folder, 'unpacked')
  const steps = [
    () => run('apt-get', ...optionsOf(folder), 'update', '--error-on=any'),
    () => run('apt-get', ...optionsOf(folder), 'download', ...packages),
    ...packages.map((name) => () => run('dpkg-deb', '--extract', debOf(debs, name), unpacked)),
  ]
  for (const step of steps) {
    const done = step()
    if (!done.ok) return done
  }
  rmSync(kept, { recursive: true, force: true })
  cpSync(unpacked, kept, { recursive: true, verbatimSymlinks: true })
  writeFileSync(join(kept, manifest), packages.join('\n'))
  return undefined
}

const debOf = (folder: string, name: string): string =>
  join(folder, readdirSync(folder).find((file) => file.startsWith(`${name}_`)) ?? name)

/** Nothing of this machine's lists, preferences and packages; its way to the mirror, such as a proxy, stays. */
const optionsOf = (folder: string): string[] =>
  Object.entries({
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
