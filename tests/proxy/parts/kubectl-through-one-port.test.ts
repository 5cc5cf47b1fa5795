/** kubectl with TLS of its own to its cluster: it lists, it watches, and a lock ends what it watches. */
import { expect, test } from 'vitest'
import { missingNewer } from '../../house/newer-debian.ts'
import { lockOf, putDocuments } from '../../people.ts'
import { startKubernetes } from './kubernetes.ts'
import { endsOf } from './log.ts'
import { startWorld } from './world.ts'

const lacking = missingNewer('kubectl')

test('pods are listed and watched, each event as it comes, until a lock cuts the stream', {
  timeout: 240_000,
}, async (context) => {
  if (lacking) return context.skip(lacking)
  const cluster = await startKubernetes(['one', 'two'])
  const world = await startWorld({ clusters: { k8s: cluster.uri } })
  const kube = ['proxy', 'kube', 'k8s', '--kube-user=lea', '--kube-group=developers']
  const { port } = await world.listening(...kube)
  const listed = await cluster.kubectl(port, 'get', 'pods', '--output=name')
  expect(listed, listed.stderr).toMatchObject({ code: 0, stdout: 'pod/one\npod/two\n' })
  // Its own TLS, from end to end: HTTP/2 was agreed with the cluster.
  expect(cluster.asked).toContain('GET /api/v1/namespaces/default/pods 2.0')

  const watching = cluster.kubectlStarted(port, 'get', 'pods', '--watch', '--output=name')
  await watching.says(/^pod\/one\npod\/two\n$/)
  await expect.poll(() => cluster.watches.size, { timeout: 30_000 }).toBe(1)
  for (const name of ['three', 'four']) {
    cluster.comes(name)
    await watching.says(new RegExp(`^pod/${name}$`, 'm'))
  }
  expect(await putDocuments(world.ada, [lockOf('Lea')])).toMatchObject({ status: 200 })
  await watching.ended
  await expect.poll(() => cluster.watches.size, { timeout: 15_000 }).toBe(0)
  expect(watching.stdout()).toBe('pod/one\npod/two\npod/three\npod/four\n')
  const cut = () => endsOf(world.lines()).filter(({ resource, code }) => resource === 'k8s' && code === 'session_cut')
  await expect.poll(cut, { timeout: 15_000 }).toHaveLength(1)
  const refused = await cluster.kubectl(port, 'get', 'pods', '--output=name')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(cluster.asked.filter((one) => one.includes('/pods'))).toHaveLength(3)
})
