/** Which hosts a role's rules name, and at which addresses they may lie: each special range, and each way to write one inside another. */
import { describe, expect, test } from 'vitest'
import { allowing, denying, type HostRule, lacking, mayReach, networksFor } from '../../../core/access/host-rule.ts'
import { hostOf, hostTarget, parseHost, targetName } from '../../../core/access/host-target.ts'
import { classify, parseAddress } from '../../../core/route/address.ts'

const bytes = (text: string) => parseAddress(text) as Uint8Array
const ports = [443]
const allows = (rule: HostRule, name: string) => allowing([rule], hostOf(name)) === 0
const denies = (rule: HostRule, name: string) => denying([rule], hostOf(name)) === 0

describe('names', () => {
  test.each([
    ['git.example.com', 'git.example.com:443', true],
    ['git.example.com', 'a.git.example.com:443', false],
    ['git.example.com', 'git.example.com.evil:443', false],
    ['*.example.com', 'a.example.com:443', true],
    ['*.example.com', 'a.b.example.com:443', true],
    ['*.example.com', 'example.com:443', false],
    ['*.example.com', 'evilexample.com:443', false],
    ['*.example.com', 'a.example.com.evil.net:443', false],
    ['*', 'whatever.net:443', true],
    ['*', '8.8.8.8:443', true],
    ['8.8.8.8', '8.8.8.8:443', true],
    ['8.8.8.8', '8.8.4.4:443', false],
    ['10.0.0.0/8', '10.200.0.1:443', true],
    ['10.0.0.0/8', '11.0.0.1:443', false],
    ['10.0.0.0/8', 'git.example.com:443', false],
    ['10.0.0.5', '[::ffff:a00:5]:443', true],
    ['10.0.0.5', '[64:ff9b::a00:5]:443', true],
    ['2600::5', '[2600::5]:443', true],
    ['2600::/16', '[2601::5]:443', false],
  ])('%s names %s: %s', (name, host, expected) => {
    expect(allows({ name, ports }, host)).toBe(expected)
    expect(denies({ name }, host)).toBe(expected)
  })
})

test.each([
  [[443], 443, true],
  [[443], 444, false],
  [['8000-8080'], 8000, true],
  [['8000-8080'], 8080, true],
  [['8000-8080'], 8081, false],
  [['8000-8080'], 7999, false],
  [[22, '8000-8080'], 22, true],
] as const)('ports %j hold %i: %s', (list, port, expected) => {
  expect(allows({ name: 'a.b', ports: list }, `a.b:${port}`)).toBe(expected)
  expect(denies({ name: 'a.b', ports: list }, `a.b:${port}`)).toBe(expected)
})

/** Of each class of address one or more, also inside of IPv6. */
const special = {
  metadata: ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'],
  unspecified: ['0.0.0.0', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd12::1', 'fec0::1', '::ffff:10.0.0.1'],
  cgnat: ['100.64.0.1', '100.127.255.255'],
  'link-local': ['169.254.1.1', 'fe80::1'],
  multicast: ['224.0.0.1', 'ff02::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  reserved: ['0.1.2.3', '192.0.0.1', '192.88.99.1', '198.18.0.1', '240.0.0.1', '255.255.255.255', '2001::1', '4000::1'],
} as const

describe('what is not public is not reached unless it is named', () => {
  test.each(Object.entries(special).flatMap(([kind, all]) => all.map((address) => [kind, address] as const)))(
    '%s %s',
    (kind, address) => {
      const at = bytes(address)
      expect(classify(at)).toBe(kind)
      expect(mayReach(at, { allowed: ['public'], denied: [] })).toBe(false)
      expect(mayReach(at, { allowed: [], denied: [] })).toBe(false)
      const host = address.includes(':') ? `[${address}]:443` : `${address}:443`
      expect(allowing([{ name: '*', ports }], hostOf(host))).toBe(-1)
      // Named alone; of what is no host's address not even so.
      const isInside = address.includes('.') === false && /^(64:ff9b|2002)/.test(address)
      const named = address.startsWith('::ffff:') ? address.slice(7) : isInside ? '127.0.0.1' : address
      const isHost = kind !== 'unspecified' && kind !== 'multicast'
      expect(mayReach(at, { allowed: [named], denied: [] })).toBe(isHost)
      expect(mayReach(at, { allowed: [named], denied: [named] })).toBe(false)
    },
  )

  test('a range that covers a metadata service does not name it', () => {
    expect(mayReach(bytes('169.254.169.254'), { allowed: ['169.254.0.0/16'], denied: [] })).toBe(false)
    expect(mayReach(bytes('169.254.1.1'), { allowed: ['169.254.0.0/16'], denied: [] })).toBe(true)
    expect(mayReach(bytes('169.254.169.254'), { allowed: ['169.254.169.254'], denied: [] })).toBe(true)
  })
})

describe('networks', () => {
  test('left out they are public; given, a host lies there and nowhere else', () => {
    const rules = [{ name: '*.a.b', ports }]
    expect(networksFor([{ spec: { allow: { hosts: rules }, deny: {} } }], [], hostOf('x.a.b:443'))).toEqual({
      allowed: ['public'],
      denied: [],
    })
    const only = { allowed: ['10.0.0.0/8'], denied: [] }
    expect(mayReach(bytes('10.1.1.1'), only)).toBe(true)
    expect(mayReach(bytes('8.8.8.8'), only)).toBe(false)
    expect(mayReach(bytes('8.8.8.8'), { allowed: ['8.8.8.0/24'], denied: [] })).toBe(true)
    expect(mayReach(bytes('8.8.4.4'), { allowed: ['8.8.8.0/24'], denied: [] })).toBe(false)
  })

  test('a denied address holds for every name that leads there, on the ports that it says', () => {
    const role = {
      spec: { allow: { hosts: [{ name: '*.a.b', ports: ['1-100'], networks: ['10.0.0.0/8'] }] }, deny: {} },
    }
    const never = { spec: { allow: {}, deny: { hosts: [{ name: '10.9.0.0/16', ports: [22] }] } } }
    expect(networksFor([role], [role, never], hostOf('x.a.b:22'))).toEqual({
      allowed: ['10.0.0.0/8'],
      denied: ['10.9.0.0/16'],
    })
    expect(networksFor([role], [role, never], hostOf('x.a.b:80')).denied).toEqual([])
  })

  test('a denial within networks leaves the host where it lies elsewhere', () => {
    const deny = { name: '*.a.b', networks: ['10.0.0.0/8'] }
    expect(denies(deny, 'x.a.b:443')).toBe(false)
    const saying = { spec: { allow: { hosts: [{ name: '*', ports }] }, deny: { hosts: [deny] } } }
    expect(networksFor([saying], [saying], hostOf('x.a.b:443'))).toEqual({
      allowed: ['public'],
      denied: ['10.0.0.0/8'],
    })
    expect(networksFor([saying], [saying], hostOf('x.c.d:443')).denied).toEqual([])
    expect(denies({ name: '*', networks: ['10.0.0.0/8'] }, '10.0.0.1:443')).toBe(true)
    expect(denies({ name: '*', networks: ['public'] }, '8.8.8.8:443')).toBe(true)
  })

  test('what is denied is denied in whatever form it is dialled', () => {
    for (const address of ['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::'])
      expect(mayReach(bytes(address), { allowed: ['10.0.0.0/8'], denied: ['10.0.0.1'] }), address).toBe(false)
    expect(mayReach(bytes('64:ff9b::808:808'), { allowed: ['public'], denied: ['::/0'] })).toBe(false)
    expect(mayReach(bytes('8.8.8.8'), { allowed: ['public'], denied: ['nonsense'] })).toBe(false)
    expect(mayReach(bytes('8.8.8.8'), { allowed: ['nonsense'], denied: [] })).toBe(false)
  })
})

test('what cannot be read allows nothing and denies everything', () => {
  const unread = [
    { name: '*', ports: ['80-20'] },
    { name: '*', ports: [0] },
    { name: '*', ports, networks: ['10.0.0.0/99'] },
    { name: '10.0.0.0/99', ports },
    { name: '*.0.0.1', ports },
    { name: '*', ports, more: true },
  ] as unknown as HostRule[]
  for (const rule of unread) {
    expect(allows(rule, 'a.b:443'), JSON.stringify(rule)).toBe(false)
    expect(denies(rule, 'x.y:1'), JSON.stringify(rule)).toBe(true)
  }
  expect(allows({ name: '*' }, 'a.b:443')).toBe(false)
})

test('of a rule that names the host it is said what is missing', () => {
  expect(
    lacking(
      [
        { name: 'x.y', ports },
        { name: 'a.b', ports },
      ],
      hostOf('a.b:22'),
    ),
  ).toBe('allow.hosts[1] names it, and not port 22')
  expect(lacking([{ name: '*', ports }], hostOf('10.0.0.1:443'))).toBe('allow.hosts[0] names it, and not its network')
  expect(lacking([{ name: 'x.y', ports }], hostOf('a.b:443'))).toBeUndefined()
})

describe('one spelling', () => {
  test.each([
    ['Git.Internal:443', 'git.internal:443'],
    ['git.internal.:443', 'git.internal:443'],
    ['[2600:0:0::5]:22', '[2600::5]:22'],
    ['[::FFFF:10.0.0.5]:22', '[::ffff:a00:5]:22'],
    ['10.0.0.5:22', '10.0.0.5:22'],
    ['10.0.0.5.:22', '10.0.0.5:22'],
    ['xn--bcher-kva.example:443', 'xn--bcher-kva.example:443'],
  ])('%s is %s', (text, name) => {
    expect(parseHost(text)).toEqual({ kind: 'value', value: name })
    expect(hostTarget(name)).toEqual({ kind: 'host', metadata: { name } })
    if (text !== name) expect(hostTarget(text)).toBeUndefined()
  })

  test.each([
    'git.internal',
    'git.internal:',
    'git.internal:0',
    'git.internal:65536',
    'git.internal:0443',
    'git.internal..:443',
    '.internal:443',
    'git:443',
    'localhost:443',
    '0x7f.1:443',
    '127.1:443',
    '2130706433:443',
    '0x7f000001:443',
    '127.0.0.01:443',
    '0177.0.0.1:443',
    '1.2.3.4.5:443',
    '[fe80::1%eth0]:443',
    '[::1:443',
    '::1:443',
    'bücher.example:443',
    'git%2einternal:443',
    'git.internal:443/path',
    'https://git.internal:443',
    'user@git.internal:443',
    'git.internal:443 ',
    'git.internal\0:443',
    '*.internal:443',
    `${'a.'.repeat(127)}b.internal:443`,
  ])('%j is no host', (text) => {
    expect(parseHost(text).kind).toBe('invalid')
    expect(hostTarget(text)).toBeUndefined()
  })

  test('a target is a resource or a host by its form, and never both', () => {
    expect(targetName({ host: 'pg-1', port: 443 })).toBe('pg-1')
    expect(targetName({ host: 'pg-1.internal', port: 443 })).toBe('pg-1.internal:443')
    expect(targetName({ host: '2600::5', port: 22 })).toBe('[2600::5]:22')
    expect(targetName({ host: '10.0.0.5', port: 22 })).toBe('10.0.0.5:22')
  })
})
