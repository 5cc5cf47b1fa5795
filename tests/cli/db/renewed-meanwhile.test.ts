/** A command that runs for hours keeps a refresh token that others have used since: to the edge a second use is a theft. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { accessToken, openSession } from '../../../cli/api.ts'
import { newFront, signedIn } from '../tls-edge.ts'

test('tokens that another process renewed are taken up, and nothing is renewed a second time', async () => {
  const front = await newFront()
  const cli = await signedIn(front)
  vi.stubEnv('XDG_CONFIG_HOME', join(cli.home, '.config'))
  const session = await openSession(undefined)
  const file = join(cli.folder, readdirSync(cli.folder).find((name) => name.endsWith('.json')) ?? '')
  const before = JSON.parse(readFileSync(file, 'utf8')) as typeof session.profile
  const over = { ...before, tokens: { ...before.tokens, access_expires_at: 0 } }
  writeFileSync(file, JSON.stringify(over))
  expect((await cli.run(['status'])).code).toBe(0)
  const renewals = () => front.received.filter(({ body }) => body.includes('grant_type=refresh_token')).length
  const count = renewals()
  session.profile = over
  const token = await accessToken(session)
  expect(token).toBe((JSON.parse(readFileSync(file, 'utf8')) as typeof before).tokens.access)
  expect(token).not.toBe(before.tokens.access)
  expect(renewals()).toBe(count)
  vi.unstubAllEnvs()
})
