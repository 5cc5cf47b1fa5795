/** `hosts` in a role: what an administrator may write, and that each mistake is told where it stands. */
import { describe, expect, test } from 'vitest'
import { readDocuments, showProblem } from '../../../cli/documents.ts'
import { acceptsAndRefuses, problemsOf, read } from './reading.ts'
import { role } from './samples.ts'

const at = (side: 'allow' | 'deny') => `spec.${side}.hosts`
const git = { name: 'git.example.com', ports: [443] }
const one = (more: object) => [{ ...git, ...more }]

describe('hosts', () => {
  acceptsAndRefuses(
    role,
    [
      [at('allow'), [], undefined],
      [at('allow'), null, undefined],
      [at('allow'), [git], [git]],
      [at('allow'), one({ name: 'Git.Example.COM' }), [git]],
      [at('allow'), one({ name: '*.example.com' }), one({ name: '*.example.com' })],
      [at('allow'), one({ name: '*' }), one({ name: '*' })],
      [at('allow'), one({ ports: ['443', 443, '8000-8080'] }), one({ ports: [443, '8000-8080'] })],
      [at('allow'), one({ name: '10.0.0.5' }), one({ name: '10.0.0.5' })],
      [at('allow'), one({ name: '10.0.0.0/8' }), one({ name: '10.0.0.0/8' })],
      [at('allow'), one({ name: '10.0.0.5/32' }), one({ name: '10.0.0.5' })],
      [at('allow'), one({ name: '2600:0::0005' }), one({ name: '2600::5' })],
      [at('allow'), one({ name: '169.254.169.254' }), one({ name: '169.254.169.254' })],
      [
        at('allow'),
        one({ networks: ['public', '10.0.0.0/8', 'FD00::/8'] }),
        one({ networks: ['public', '10.0.0.0/8', 'fd00::/8'] }),
      ],
      [at('deny'), [{ name: '*' }], [{ name: '*' }]],
      [at('deny'), [{ name: '0.0.0.0/0' }], [{ name: '0.0.0.0/0' }]],
      [at('deny'), [{ name: '*', networks: ['0.0.0.0'] }], [{ name: '*', networks: ['0.0.0.0'] }]],
    ],
    [
      [at('allow'), { name: 'a.b' }, 'expected a list of hosts, each with name and ports'],
      [at('allow'), ['a.b'], '[0]: expected a map of name, ports, networks, not text'],
      [at('allow'), [{ ports: [443] }], '[0].name: missing: expected text'],
      [at('allow'), [{ name: 'a.b' }], '[0].ports: missing: expected a list of ports'],
      [at('allow'), one({ port: 443 }), '[0].port: a host has no field `port`: did you mean `ports`?'],
      [at('allow'), one({ ports: 443 }), '[0].ports: expected a list of ports, not a number'],
      [at('allow'), one({ ports: [] }), '[0].ports: expected at least one port'],
      [at('deny'), one({ ports: [] }), '[0].ports: expected at least one port'],
      [at('allow'), one({ ports: [0] }), '[0].ports[0]: 0: expected a port from 1 to 65535'],
      [at('allow'), one({ ports: [443, 65_536] }), '[0].ports[1]: 65536: expected a port from 1 to 65535'],
      [at('allow'), one({ ports: [1.5] }), '[0].ports[0]: 1.5: expected a port from 1 to 65535'],
      [
        at('allow'),
        one({ ports: ['80-20'] }),
        '[0].ports[0]: `80-20`: expected a port from 1 to 65535, or a range such as 8000-8080',
      ],
      [
        at('allow'),
        one({ ports: ['https'] }),
        '[0].ports[0]: `https`: expected a port from 1 to 65535, or a range such as 8000-8080',
      ],
      [
        at('allow'),
        one({ ports: [true] }),
        '[0].ports[0]: expected a port, or a range such as 8000-8080, not true or false',
      ],
      [
        at('allow'),
        one({ name: 'git.example.com:443' }),
        '[0].name: `git.example.com:443`: leave out the port, `ports` lists them',
      ],
      [
        at('allow'),
        one({ name: 'https://git.example.com' }),
        '[0].name: `https://git.example.com`: expected a name alone, such as git.example.com',
      ],
      [at('allow'), one({ name: 'git.example.com.' }), '[0].name: `git.example.com.`: leave out the dot at its end'],
      [
        at('allow'),
        one({ name: 'git' }),
        '[0].name: `git`: a host of one label is reached as a resource: write its whole name, or a document for it',
      ],
      [
        at('deny'),
        one({ name: 'localhost' }),
        '[0].name: `localhost`: a host of one label is reached as a resource: write its whole name, or a document for it',
      ],
      [
        at('allow'),
        one({ name: 'a.*.example.com' }),
        '[0].name: `a.*.example.com`: a wildcard stands for whole labels in front: `*.example.com`',
      ],
      [
        at('allow'),
        one({ name: 'g*.example.com' }),
        '[0].name: `g*.example.com`: a wildcard stands for whole labels in front: `*.example.com`',
      ],
      [
        at('allow'),
        one({ name: 'bücher.example' }),
        '[0].name: `bücher.example`: write a name with other letters as DNS has it: `xn--...`',
      ],
      [
        at('allow'),
        one({ name: 'a..b' }),
        '[0].name: `a..b`: expected a name such as git.example.com or *.example.com, or an address',
      ],
      [
        at('allow'),
        one({ name: 'a%2eb.c' }),
        '[0].name: `a%2eb.c`: expected a name such as git.example.com or *.example.com, or an address',
      ],
      [
        at('allow'),
        one({ name: '0x7f.1' }),
        '[0].name: `0x7f.1`: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/8',
      ],
      [
        at('deny'),
        one({ name: '2130706433' }),
        '[0].name: `2130706433`: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/8',
      ],
      [
        at('allow'),
        one({ name: '10.0.0.1/8' }),
        '[0].name: `10.0.0.1/8`: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/8',
      ],
      [
        at('deny'),
        one({ name: '::ffff:10.0.0.1' }),
        '[0].name: `::ffff:10.0.0.1`: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/8',
      ],
      [at('allow'), one({ name: '[2600::5]' }), '[0].name: `[2600::5]`: leave out the brackets around an IPv6 address'],
      [
        at('allow'),
        one({ name: '10.0.0.0/8', networks: ['10.0.0.0/8'] }),
        '[0].networks: the name is an address, which says where it lies: leave networks out',
      ],
      [at('allow'), one({ networks: [] }), '[0].networks: expected at least one: left out, it is `public`'],
      [
        at('allow'),
        one({ networks: ['private'] }),
        '[0].networks[0]: `private`: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/8',
      ],
      [
        at('allow'),
        one({ networks: ['0.0.0.0/0'] }),
        '[0].networks[0]: `0.0.0.0/0` holds addresses of several kinds: name each range that is meant, and write `public` for the internet',
      ],
      [
        at('allow'),
        one({ name: '169.254.0.0/15' }),
        '[0].name: `169.254.0.0/15` holds addresses of several kinds: name each range that is meant, and write `public` for the internet',
      ],
      [
        at('allow'),
        one({ name: '8.0.0.0/5' }),
        '[0].name: `8.0.0.0/5` holds addresses of several kinds: name each range that is meant, and write `public` for the internet',
      ],
      [
        at('allow'),
        one({ networks: ['0.0.0.0'] }),
        "[0].networks[0]: `0.0.0.0` holds unspecified addresses, which are no host's",
      ],
      [
        at('allow'),
        one({ name: '224.0.0.0/4' }),
        "[0].name: `224.0.0.0/4` holds multicast addresses, which are no host's",
      ],
      [at('allow'), Array.from({ length: 257 }, () => git), '257 entries: at most 256'],
      [at('allow'), one({ ports: Array.from({ length: 65 }, (_, i) => i + 1) }), '[0].ports: 65 entries: at most 64'],
    ],
  )
})

test('a mistake is told with file, line and field', () => {
  const text = `kind: role
version: v7
metadata: { name: dev }
spec:
  allow:
    hosts:
      - name: git.example.com
        ports: [443]
      - name: '*.internal.example'
        ports: [443, 70000]
  deny: {}
`
  const found = readDocuments('roles.yaml', text)
  const told = 'problems' in found ? found.problems.map(showProblem) : []
  expect(told).toEqual(['roles.yaml:10: spec.allow.hosts[1].ports[1]: 70000: expected a port from 1 to 65535'])
})

test('a role without hosts is what it was', () => {
  expect(read(role)).toEqual(role)
  expect(problemsOf({ ...role, hosts: [] })).toHaveLength(1)
})
