/** git with HTTPS_PROXY at `sallyport proxy http`, and at the port itself: what it clones is whole, and the server is verified by git. */
import { expect, test } from 'vitest'
import { missing } from '../front/front.ts'
import { gitName, startGit } from './git.ts'
import { endsOf } from './log.ts'
import { startWorld } from './world.ts'

const lacking = missing('git', '/usr/lib/git-core/git-http-backend')

test('a repository comes whole by a session, and by a route that CONNECT in the clear leads to', {
  timeout: 240_000,
}, async (context) => {
  if (lacking) return context.skip(lacking)
  const git = await startGit()
  const world = await startWorld({
    apps: { git: `https://${git.uri}` },
    routes: [`{ name: git-route, sni: [${gitName}], tls: passthrough, backends: ["${git.uri}"] }`],
  })
  const { port } = await world.listening('proxy', 'http', `${gitName}=git`)
  const cloned = await git.clone(`http://127.0.0.1:${port}`, `https://${gitName}/repo.git`)
  expect(cloned, cloned.stderr).toMatchObject({ code: 0, sha: git.sha })
  const direct = await git.clone(`http://127.0.0.1:${world.port}`, `https://${gitName}:${world.port}/repo.git`)
  expect(direct, direct.stderr).toMatchObject({ code: 0, sha: git.sha })
  const elsewhere = await git.clone(`http://127.0.0.1:${port}`, 'https://example.com/repo.git')
  expect(elsewhere.code).toBe(128)
  expect(elsewhere.stderr).toContain('403')
  // git may leave before it has read its server's last words, which is a reset of its own.
  const ends = () =>
    endsOf(world.lines())
      .filter(({ backend, code, closed_by }) => backend === git.uri && (code === 'ended' || closed_by === 'client'))
      .map(({ route, resource }) => [route, resource].join(' '))
  await expect.poll(() => new Set(ends()), { timeout: 15_000 }).toEqual(new Set(['sallyport git', 'git-route ']))
})
