/** Hosts, apps, Kubernetes clusters and desktops: a grant of its own for each, with a tap where a role wants it, and bytes as they are. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { call, lockOn, putDocuments } from '../../people.ts'
import { beginSession, exchangeForm } from '../../proxies.ts'
import { until } from '../proxy.ts'
import { startDatabase } from './database.ts'
import { askOf, put, rawKinds, roleFor, samples, sha, startEcho, worldOf } from './kinds.ts'
import { eventsOf, grantFor, Tunnel, type World } from './world.ts'

const connect = async ({ proxy, lea }: World, grant: string, name: string) => {
  const tunnel = await Tunnel.open(proxy)
  // Before the server may end its side.
  tunnel.socket.allowHalfOpen = true
  return Object.assign(tunnel, { answered: await tunnel.connect(grant, lea, { name }) })
}

describe.for(rawKinds)('%s', (kind) => {
  const { name, allow } = samples[kind]

  test('a tap, a grant, and a megabyte each way at once; the end of one side is not the end of the other', async () => {
    const world = await worldOf(kind, { tap: true })
    const begun = await beginSession(world.lea.program, world.lea.token, askOf(world, kind))
    expect(begun.json).toMatchObject({ tap: true })
    const tunnel = await connect(world, await grantFor(world, world.lea, askOf(world, kind)), name)
    expect(tunnel.answered.status).toBe(200)
    const sent = randomBytes(1 << 20)
    tunnel.socket.end(sent)
    await until(() => tunnel.ended, 10_000)
    expect(sha(Buffer.from(tunnel.said, 'latin1'))).toBe(sha(sent))
    await until(() => eventsOf(world.edge).length === 2)
    const counted = `"bytes_up":${sent.length},"bytes_down":${sent.length}`
    expect(JSON.parse(String(eventsOf(world.edge)[1]?.['detail'])).said).toContain(counted)
  })

  test('a server that ends its side first still hears the client', async () => {
    const server = await startDatabase((socket) => void socket.end('bye'), { allowHalfOpen: true })
    const world = await worldOf(kind, { server })
    const tunnel = await connect(world, await grantFor(world, world.lea, askOf(world, kind)), name)
    await until(() => tunnel.ended)
    expect(tunnel.said).toBe('bye')
    tunnel.socket.end('the last word')
    await until(() => server.connections[0]?.ended() === true)
    expect(server.connections[0]?.said()).toBe('the last word')
  })

  test('without the tap that a role wants there is no grant, and one from before opens nothing', async () => {
    const world = await worldOf(kind)
    const early = await grantFor(world, world.lea, askOf(world, kind))
    await put(world, roleFor(allow, true))
    await world.proxy.serving.trust.ask()
    const { program, token } = world.lea
    expect((await program.token(exchangeForm(token, askOf(world, kind)))).status).not.toBe(200)
    const { answered } = await connect(world, early, name)
    expect(answered).toMatchObject({ status: 403, json: { error: 'tap_required' } })
    expect(world.upstream.connections).toEqual([])
  })

  test('a role that reaches the other kinds and not this one opens it neither at the edge nor at the proxy', async () => {
    const world = await worldOf(kind)
    const early = await grantFor(world, world.lea, askOf(world, kind))
    const others = rawKinds.filter((one) => one !== kind).map((one) => samples[one].allow)
    // The principal is allowed as before: what is missing are the labels of the kind.
    const lists = Object.fromEntries(Object.entries(allow).filter(([list]) => !list.endsWith('_labels')))
    await put(world, roleFor(Object.assign({}, lists, ...others), false))
    await world.proxy.serving.trust.ask()
    await expect(grantFor(world, world.lea, askOf(world, kind))).rejects.toThrow('No role of yours reaches a')
    expect((await connect(world, early, name)).answered).toMatchObject({
      status: 403,
      json: { error: 'access_denied' },
    })
    expect(world.upstream.connections).toEqual([])
  })

  test('a lock on it cuts what is open: both sides are reset, for its protocol has no place for our words', async () => {
    const world = await worldOf(kind)
    const tunnel = await connect(world, await grantFor(world, world.lea, askOf(world, kind)), name)
    tunnel.socket.write('hello')
    await tunnel.until((said) => said === 'hello')
    expect((await putDocuments(world.admin, [lockOn({ [kind]: name }, 'Closed today.')])).status).toBe(200)
    await tunnel.closed
    expect(tunnel.said).toBe('hello')
    await world.upstream.connections[0]?.closed
    await expect(grantFor(world, world.lea, askOf(world, kind))).rejects.toThrow('Closed today.')
  })

  test.for(rawKinds.filter((one) => one !== kind))('its grant opens no %s that has taken its name', async (other) => {
    const world = await worldOf(kind)
    const grant = await grantFor(world, world.lea, askOf(world, kind))
    const server = await startEcho()
    const all = Object.assign({}, ...rawKinds.map((one) => samples[one].allow))
    const gone = await call(world.admin, 'DELETE', `/v1/documents/${kind}/${name}`)
    expect(gone.status).toBe(200)
    await put(world, samples[other].document(server.uri, name), roleFor(all, false))
    await world.proxy.serving.trust.ask()
    const { answered } = await connect(world, grant, name)
    expect(answered).toMatchObject({ status: 403, json: { error: 'resource_unknown' } })
    expect(server.connections).toEqual([])
  })
})
