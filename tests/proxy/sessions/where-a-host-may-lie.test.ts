/** The address of a host is judged once it is resolved, and that very address is dialled: it is resolved once. */
import { expect, test } from 'vitest'
import { until } from '../proxy.ts'
import { anyPort, askForHost, here, newHostWorld, openHost, say } from './hosts.ts'
import { eventsOf, grantFor, Tunnel } from './world.ts'

const refused = { status: 403, json: { error: 'access_denied' } }
const told = 'leads to no address that your roles allow'

test('a name that leads into a network that nobody named: 403, and where it leads stands in log and audit alone', async () => {
  const world = await newHostWorld([{ name: '*.example.com', ports: anyPort }])
  const host = `git.example.com:${world.port}`
  const { answered } = await openHost(world, host)
  expect(answered).toMatchObject(refused)
  expect(answered.json['message']).toBe(`${host} ${told}.`)
  expect(JSON.stringify(answered.json)).not.toContain('127.0.0.1')
  const line = world.proxy.log.find(({ code }) => code === 'address_not_allowed')
  expect(line).toMatchObject({ status: 403, detail: '127.0.0.1 (loopback)' })
  await until(() => eventsOf(world.edge).length === 1)
  const [event] = eventsOf(world.edge)
  expect(event).toMatchObject({ kind: 'session.refuse', code: 'address_not_allowed' })
  expect(String(event?.['detail'])).toContain('127.0.0.1 (loopback)')
  expect(world.reached).toEqual([])
})

test('another answer the second time is never asked for: what was judged is what is dialled', async () => {
  // Public when it is looked at, this machine a moment later.
  const answers = [['127.0.0.1'], ['169.254.169.254'], ['10.0.0.1']]
  const world = await newHostWorld(undefined, { answers })
  const host = `rebinding.internal:${world.port}`
  const first = await openHost(world, host)
  expect(first.answered).toMatchObject({ status: 200 })
  first.socket.write('ping')
  await first.until((said) => said === 'ping')
  expect(world.resolved).toEqual(['rebinding.internal'])
  // The next session is judged anew, by the new answer.
  expect((await openHost(world, host)).answered).toMatchObject(refused)
  expect(world.resolved).toHaveLength(2)
  expect(world.reached).toHaveLength(1)
})

test('of several addresses only those are dialled that may be', async () => {
  const answers = [['169.254.169.254', '10.0.0.1', '::ffff:10.0.0.1', '127.0.0.1', '0.0.0.0']]
  const world = await newHostWorld(undefined, { answers })
  const tunnel = await openHost(world, `git.internal:${world.port}`)
  expect(tunnel.answered).toMatchObject({ status: 200 })
  tunnel.socket.write('ping')
  await tunnel.until((said) => said === 'ping')
})

test.each([
  ['metadata', '169.254.169.254'],
  ['unspecified', '0.0.0.0'],
  ['private', '192.168.0.1'],
  ['cgnat', '100.64.0.1'],
  ['link-local', 'fe80::1'],
  ['link-local by an interface', 'fe80::1%lo'],
  ['multicast', '224.0.0.1'],
  ['documentation', '192.0.2.1'],
  ['reserved', '240.0.0.1'],
  ['loopback in IPv6', '::1'],
  ['private, mapped', '::ffff:10.0.0.1'],
  ['private, translated', '64:ff9b::a00:1'],
  ['private, by 6to4', '2002:a00:1::'],
])('%s: %s is not dialled', async (_, address) => {
  const world = await newHostWorld([{ name: '*', ports: anyPort, networks: ['public', ...here] }], {
    answers: [[address]],
  })
  expect((await openHost(world, `git.example.com:${world.port}`)).answered).toMatchObject(refused)
})

test('an address is asked for as it is: named it is reached, else the edge refuses it already', async () => {
  const world = await newHostWorld([{ name: '127.0.0.0/8', ports: anyPort }])
  const tunnel = await openHost(world, `127.0.0.1:${world.port}`)
  expect(tunnel.answered).toMatchObject({ status: 200 })
  expect(world.resolved).toEqual([])
  await say(world, [{ name: '*', ports: anyPort }])
  await tunnel.closed
  await expect(openHost(world, `127.0.0.1:${world.port}`)).rejects.toThrow('No role of yours allows 127.0.0.1')
  await expect(openHost(world, `[::ffff:7f00:1]:${world.port}`)).rejects.toThrow('No role of yours allows')
})

test('the proxy itself is not reached through itself', async () => {
  const world = await newHostWorld()
  const { answered } = await openHost(world, `me.internal:${world.proxy.port}`)
  expect(answered).toMatchObject(refused)
  expect(answered.json['message']).toContain(told)
})

test('a name that is not there: 502', async () => {
  const world = await newHostWorld(undefined, { answers: [[]] })
  const { answered } = await openHost(world, `git.internal:${world.port}`)
  expect(answered).toMatchObject({ status: 502 })
  expect(answered.json['message']).toContain('No address is known for git.internal')
})

test('a host that does not listen: 502, and nothing is said of a database', async () => {
  const world = await newHostWorld()
  // Nobody listens there: it is privileged, and no test starts a server on it.
  const { answered } = await openHost(world, 'git.internal:1')
  expect(answered).toMatchObject({ status: 502 })
  expect(answered.json['message']).toBe('The server cannot be reached at git.internal:1: the connection is refused.')
})

test.each(['GIT.internal:443', 'git.internal.:443', '2130706433:443', '127.1:443', 'git:443', 'git.internal'])(
  'the edge knows one spelling: %s is asked for in vain',
  async (name) => {
    const world = await newHostWorld()
    await expect(grantFor(world, world.lea, askForHost(world, name))).rejects.toThrow(/answered 4\d\d/)
  },
)

test.each([
  ['0x7f.1:443', 400],
  ['2130706433:443', 400],
  ['git.internal:0', 400],
  ['git.internal', 400],
  ['git.internal.:443', 400],
  ['git%2einternal:443', 400],
  ['[fe80::1%25lo]:443', 400],
  ['b\u00fccher.internal:443', 400],
  ['GIT.INTERNAL:443', 200],
] as const)('CONNECT %s with a grant for git.internal:443 is answered %i', async (authority, status) => {
  const world = await newHostWorld()
  const name = `git.internal:${world.port}`
  const grant = await grantFor(world, world.lea, askForHost(world, name))
  const tunnel = await Tunnel.open(world.proxy)
  const written = authority.replace(':443', `:${world.port}`)
  expect(await tunnel.connect(grant, world.lea, { name, authority: written })).toMatchObject({ status })
})
