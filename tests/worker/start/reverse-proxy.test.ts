import { expect, test } from 'vitest'
import { Visitor } from '../../client.ts'
import { launchServe, remove } from '../../runtime/launch.ts'

const wrong = {
  ticket: 'x',
  assertion: { id: 'AA', response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' } },
}

/** How two clients of one reverse proxy fare after the first failed three times: the last one of the list is the proxy's word. */
async function afterFailures(env: Record<string, string>): Promise<[first: number, second: number]> {
  const edge = await launchServe('node', { env: { SALLYPORT_LOGIN_LIMIT: '3', ...env } })
  try {
    const visitor = new Visitor(edge.origin)
    const from = (address: string) => ({ 'x-forwarded-for': `198.51.100.9, ${address}` })
    for (let i = 0; i < 3; i++) await visitor.post('/v1/login/finish', wrong, from('192.0.2.1'))
    const begin = async (address: string) => (await visitor.post('/v1/login/begin', {}, from(address))).status
    return [await begin('192.0.2.1'), await begin('192.0.2.2')]
  } finally {
    await edge.stop()
    remove(edge.home)
  }
}

test('SALLYPORT_ADDRESS_HEADER gives each client behind a reverse proxy a limit of its own', async () => {
  expect(await afterFailures({ SALLYPORT_ADDRESS_HEADER: 'x-forwarded-for' })).toEqual([429, 200])
})

test('without it a client’s own word about its address is believed by nobody', async () => {
  expect(await afterFailures({})).toEqual([429, 429])
})
