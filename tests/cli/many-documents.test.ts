/** More documents than one tap approves: what is printed says so, and so does who puts it back. */
import { expect, test } from 'vitest'
import { newFront, signedIn } from './tls-edge.ts'

test('admin get tells whom it prints more to than create takes; fewer, and a table, need no word', async () => {
  const front = await newFront()
  const insert = front.edge.store.raw.prepare(
    "insert into documents (kind, name, document, revision, updated_at, updated_by) select 'role', ?, ?, 'first', 0, id from users",
  )
  const role = (name: string) => ({
    kind: 'role',
    version: 'v7',
    metadata: { name },
    spec: { options: {}, allow: {}, deny: {} },
  })
  for (let at = 0; at < 101; at++) insert.run(`r${at}`, JSON.stringify(role(`r${at}`)))
  const cli = await signedIn(front)
  const all = await cli.run(['admin', 'get', 'role'])
  expect(all.stderr).toMatch(/^These are 101 documents, and "sallyport admin create" takes 100 at a time: /)
  expect((await cli.run(['admin', 'get', 'role', '--format=text'])).stderr).toBe('')
  const back = await cli.run(['admin', 'create', '--force', '--dry-run', '-'], all.stdout)
  expect(back).toMatchObject({ code: 1, stdout: expect.stringContaining('put the rest into another file') })
  front.edge.store.raw.exec("delete from documents where name = 'r7'")
  const fewer = await cli.run(['admin', 'get', 'role'])
  expect(fewer.stderr).toBe('')
  expect(await cli.run(['admin', 'create', '--dry-run', '-'], fewer.stdout)).toMatchObject({ code: 0 })
})
