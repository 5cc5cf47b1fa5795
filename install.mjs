/**
 * Installs what is missing, before `npm start` and `npm test`. Plain JavaScript for any Node from 20 on: it runs before
 * the pinned one is there. Does nothing when the lockfile is the one that was installed.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const stamp = join(root, 'node_modules', '.sallyport-installed')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform} ${process.arch}`)
  .digest('hex')

function fail(what, hint) {
  process.stderr.write(`sallyport: error: Cannot install: ${what}\nhint: ${hint}\n`)
  process.exit(1)
}

function install() {
  process.stderr.write('installing packages (once, and whenever package-lock.json changes) ...\n')
  const npm = process.env.npm_execpath
  const [command, ...before] = npm ? [process.execPath, npm] : ['npm']
  const quiet = ['--loglevel=error', '--no-fund', '--no-audit']
  const { status } = spawnSync(command, [...before, 'ci', '--include=dev', ...quiet], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) fail('npm ci failed', 'read what it says above; it needs the npm registry')
  writeFileSync(stamp, wanted)
}

/** npm scripts find node_modules/.bin first, so this is the Node that runs everything from here on. */
function requireRuntime() {
  const pinned = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
  const command = existsSync(pinned) ? pinned : 'node'
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' })
  const version = (stdout ?? '').trim()
  if (Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= 24) return
  fail(
    `there is no pinned Node for ${process.platform} ${process.arch}, and the one here is ${version || 'missing'}`,
    'install Node 24 or later',
  )
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) install()
requireRuntime()
