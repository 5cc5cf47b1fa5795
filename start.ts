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
// Ctrl-C reaches the edge by itself, a signal to this process alone does not; a second one changes nothing. The edge ends first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => edge.kill(signal))
// npm passes signals on, but may be killed outright: then nobody else is left to stop the edge.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) edge.kill('SIGTERM')
}, 500).unref()
edge.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
