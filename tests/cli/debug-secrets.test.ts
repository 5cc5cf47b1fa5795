import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answerIn, newFront, signedIn } from './tls-edge.ts'

test('--debug says what is asked, and none of the tokens, codes, proofs, taps and keys', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const inviting = cli.start(['admin', 'users', 'add', 'Grace', '--roles=access', '--debug'])
  const location = await answerIn(inviting, front.person)
  const invited = await inviting.ended
  const listed = await cli.run(['admin', 'audit', 'ls', '--user=Ada', '--kind=login', '--debug'])
  const ended = await cli.run(['logout', '--debug'])
  const said = [cli.ended, invited, listed, ended].map(({ stderr }) => stderr).join('')
  const debugged = said
    .split('\n')
    .filter((line) => line.startsWith('debug: '))
    .join('\n')
  expect(debugged).toMatch(/^debug: GET \/\.well-known\/sallyport\ndebug: 200 after \d+ ms\n/)
  expect(debugged).toContain('debug: GET /v1/audit?limit=...&user=...&kind=...')

  const secrets = new Set<string>()
  for (const { head, body } of front.received) {
    for (const name of ['authorization', 'dpop', 'sallyport-tap'])
      secrets.add(String(head[name] ?? '').replace(/^DPoP /, ''))
    const form = new URLSearchParams(body)
    for (const name of ['code', 'code_verifier', 'refresh_token', 'token']) secrets.add(form.get(name) ?? '')
  }
  for (const value of new URL(location).searchParams.values()) secrets.add(value)
  const [, fragment = ''] = invited.stdout.trim().split('#')
  for (const part of fragment.split('.')) secrets.add(part)
  const found = [...secrets].filter((secret) => secret.length > 20 && secret !== 'http://localhost:3080')
  expect(found.length).toBeGreaterThan(15)
  for (const secret of found) expect(debugged.includes(secret)).toBe(false)
})

test('what is on the disk is the profile alone: nothing of a login lies elsewhere', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  const file = readdirSync(cli.folder).find((name) => name.endsWith('.json')) ?? ''
  const { tokens, key } = JSON.parse(readFileSync(join(cli.folder, file), 'utf8'))
  for (const entry of readdirSync(cli.home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === file) continue
    const text = readFileSync(join(entry.parentPath, entry.name), 'latin1')
    for (const secret of [tokens.refresh, tokens.access, key.d]) expect(text.includes(secret)).toBe(false)
  }
})
