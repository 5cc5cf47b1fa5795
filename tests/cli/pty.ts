/** The CLI on a real terminal, which is tmux's. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { expect, onTestFinished } from 'vitest'
import { program } from './run-cli.ts'

export const hasTmux = spawnSync('tmux', ['-V']).status === 0
export const skipReason = 'tmux is not installed'

/** A terminal of 40 lines, on a server of its own. */
export function newTerminal(home: string, env: Readonly<Record<string, string>>, columns = 120) {
  const tmux = (...args: string[]) =>
    spawnSync('tmux', ['-S', join(home, 'tmux.sock'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...env, TERM: 'xterm-256color' },
    })
  onTestFinished(() => void tmux('kill-server'))
  tmux('new-session', '-d', '-x', String(columns), '-y', '40', '-c', home, 'sh')
  const type = (text: string) => tmux('send-keys', text, 'Enter')
  const shows = async (pattern: RegExp, escapes = false) => {
    const look = () => tmux('capture-pane', '-p', ...(escapes ? ['-e'] : [])).stdout
    await expect.poll(look, { timeout: 15_000 }).toMatch(pattern)
    return look()
  }
  const run = (args: string) => type(`${process.execPath} ${program} ${args}; echo "exit $?"`)
  /** Such as C-c. */
  const press = (key: string) => tmux('send-keys', key)
  /** As a process's output has it: what was wrapped or has left the screen too. */
  const seen = async (pattern: RegExp) => {
    const look = () => pattern.exec(tmux('capture-pane', '-p', '-J', '-S', '-500').stdout)
    await expect.poll(look, { timeout: 15_000 }).not.toBeNull()
    return look() as RegExpExecArray
  }
  return { type, press, run, shows, seen }
}
