import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { expect, onTestFinished, test } from 'vitest'
import { newCli, program, putProfile } from './run-cli.ts'
import { newFront, signedIn } from './tls-edge.ts'

const hasTmux = spawnSync('tmux', ['-V']).status === 0
const skipReason = 'tmux is not installed'

/** A terminal of 120 columns, on a server of its own. */
function newTerminal(home: string, env: Readonly<Record<string, string>>) {
  const tmux = (...args: string[]) =>
    spawnSync('tmux', ['-S', join(home, 'tmux.sock'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...env, TERM: 'xterm-256color' },
    })
  onTestFinished(() => void tmux('kill-server'))
  tmux('new-session', '-d', '-x', '120', '-y', '40', '-c', home, 'sh')
  const type = (text: string) => tmux('send-keys', text, 'Enter')
  const shows = async (pattern: RegExp, escapes = false) => {
    const look = () => tmux('capture-pane', '-p', ...(escapes ? ['-e'] : [])).stdout
    await expect.poll(look, { timeout: 15_000 }).toMatch(pattern)
    return look()
  }
  const run = (args: string) => type(`${process.execPath} ${program} ${args}; echo "exit $?"`)
  return { type, run, shows }
}

test('on a terminal labels are bold and errors red; with NO_COLOR nothing is', async (context) => {
  if (!hasTmux) return context.skip(skipReason)
  const cli = newCli()
  putProfile(cli)
  const terminal = newTerminal(cli.home, cli.env)
  terminal.run('status --offline')
  await terminal.shows(/exit 0/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(await terminal.shows(/User:/, true)).toMatch(/\u001b\[1mUser:/)
  terminal.run('statsu')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(await terminal.shows(/exit 2/, true)).toMatch(/\u001b\[31msallyport: error:/)
  terminal.type('clear; export NO_COLOR=1')
  terminal.run('status --offline')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(await terminal.shows(/exit 0/, true)).not.toMatch(/\u001b\[(1|31)m/)
})

test('on a terminal a removal is asked for first: Enter changes nothing, y removes', async (context) => {
  if (!hasTmux) return context.skip(skipReason)
  const front = await newFront()
  const cli = await signedIn(front)
  const terminal = newTerminal(cli.home, cli.env)
  terminal.run('admin rm role/gone')
  await terminal.shows(/Remove the role gone\? \[y\/N\]/)
  terminal.type('')
  await terminal.shows(/it was not confirmed, nothing was changed[\s\S]*exit 1/)
  terminal.type('clear')
  terminal.run('admin rm role/gone')
  await terminal.shows(/Remove the role gone\? \[y\/N\]/)
  terminal.type('y')
  await terminal.shows(/the edge answered: document unknown[\s\S]*exit 1/)
})
