import { expect, test } from 'vitest'
import { hasTmux, newTerminal, skipReason } from './pty.ts'
import { newCli, putProfile } from './run-cli.ts'
import { newFront, signedIn } from './tls-edge.ts'

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
