import { test } from 'vitest'
import { expectRefusedStart, usedHome } from './start.ts'

test('start refuses a database of another SALLYPORT_CLUSTER', async () => {
  const home = await usedHome({ SALLYPORT_CLUSTER: 'one' })
  const what = (name: string) => new RegExp(`SALLYPORT_CLUSTER \\(${name}\\) is not the name of the database`)
  await expectRefusedStart({ home, env: { SALLYPORT_CLUSTER: 'two' } }, what('two'), /SALLYPORT_HOME/)
  await expectRefusedStart({ home }, what('localhost'), /SALLYPORT_HOME/)
})
