import { describe, expect, test } from 'vitest'
import { claimCluster, type Ownership } from '../../storage/cluster.ts'
import type { LogLine } from '../../worker/edge.ts'
import { readiness } from '../../worker/readiness.ts'
import { newEdge } from '../edge.ts'

/** A database that answers as it is told, each time it is asked. */
function asked(...answers: (Ownership | Error)[]) {
  const logged: LogLine[] = []
  let times = 0
  const claim = async () => {
    const answer = answers[Math.min(times++, answers.length - 1)]
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer')
    return answer
  }
  return { ready: readiness(claim, (line) => logged.push(line)), logged, times: () => times }
}
const unavailable = { name: 'Refusal', code: 'unavailable', status: 503 }

describe('readiness', () => {
  test('asks nothing before the first request, never again after a right answer, and is silent', async () => {
    const { ready, times, logged } = asked('ours')
    expect(times()).toBe(0)
    await ready()
    await Promise.all([ready(), ready(), ready()])
    expect(times()).toBe(1)
    expect(logged).toEqual([])
  })

  test.each([
    ['another key', 'another key'],
    ['another cluster', 'another cluster'],
    [new Error('no such table: cluster'), 'no such table'],
  ] as const)('refuses while the database says %s, tells the operator why, and asks again', async (answer, why) => {
    const { ready, times, logged } = asked(answer, answer, 'ours')
    await expect(ready()).rejects.toMatchObject(unavailable)
    await expect(ready()).rejects.toMatchObject(unavailable)
    await ready()
    await ready()
    expect(times()).toBe(3)
    expect(logged).toHaveLength(2)
    expect(logged[0]).toMatchObject({ level: 'error', message: expect.stringContaining(why) as string })
    expect(logged[0]?.['hint']).toContain('SALLYPORT_KEY')
  })

  test('lets no request wait for what another has asked: that may be cancelled with its request', async () => {
    const answers: ((answer: Ownership) => void)[] = []
    const ready = readiness(
      () => new Promise<Ownership>((answer) => answers.push(answer)),
      () => undefined,
    )
    const [never, second] = [ready(), ready()]
    answers[1]?.('ours')
    await second
    await ready()
    expect(answers).toHaveLength(2)
    answers[0]?.('another key')
    await expect(never).rejects.toMatchObject(unavailable)
  })

  test('knows the database that another key or another name made', async () => {
    const { store, ports } = await newEdge()
    const ready = (name: string, keyCheck: string) =>
      readiness(
        () => claimCluster(store, { name, keyCheck }, ports.now()),
        () => undefined,
      )
    await ready('one', ports.keys.check)()
    await ready('one', ports.keys.check)()
    await expect(ready('one', 'another')()).rejects.toMatchObject(unavailable)
    await expect(ready('two', ports.keys.check)()).rejects.toMatchObject(unavailable)
  })
})
