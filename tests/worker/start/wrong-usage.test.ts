import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newHome, start } from './start.ts'

const wrong = [
  ['dance'],
  ['serve', 'now'],
  ['serve', '--url', 'https://x.example'],
  ['init', 'now'],
  ['--dance'],
  ['init', '--url'],
  ['recover'],
  ['recover', 'Ada', 'now'],
  ['recover', 'Ada', '--key=x'],
]

test.each(wrong.map((args) => ({ args })))(
  'sallyport-edge $args: the usage on stderr, exit 2, nothing made',
  async ({ args }) => {
    const home = newHome()
    const { code, stdout, stderr } = await start({ SALLYPORT_HOME: home }, args)
    expect(stderr).toContain('Usage: sallyport-edge [serve]')
    expect(stderr).not.toMatch(/^\s+at /m)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(existsSync(home)).toBe(false)
  },
)

test('sallyport-edge --help: the usage on stdout, exit 0', async () => {
  const { code, stdout, stderr } = await start({ SALLYPORT_HOME: newHome() }, ['--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: sallyport-edge \[serve\]/)
})
