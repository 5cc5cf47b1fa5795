/** `npm start`: builds, then runs the edge on this machine. Ctrl-C stops it; so does the end of this process. */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'

const root = import.meta.dirname

const built = spawnSync(process.execPath, [join(root, 'build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] })
if (built.status !== 0) {
  process.stderr.write('sallyport: error: Cannot start: the build failed\nhint: read what it says above\n')
  process.exit(1)
}

const edge = spawn(process.execPath, [join(root, 'dist', 'edge', 'serve.js')], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  env: { ...process.env, SALLYPORT_HOME: process.env['SALLYPORT_HOME'] ?? join(root, '.sallyport') },
})
// Ctrl-C reaches the edge too; what is sent to this process alone is passed on. Either way the edge ends first.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => edge.kill('SIGTERM'))
edge.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
