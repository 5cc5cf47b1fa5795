import { describe, expect, test } from 'vitest'
import { parseHostName, parseHostPort } from '../../../core/access/host-port.ts'

describe('parseHostPort', () => {
  test.each([
    ['db.example.com:5432', 'db.example.com:5432'],
    ['DB.Example.com:5432', 'db.example.com:5432'],
    ['localhost:1', 'localhost:1'],
    ['my_db:65535', 'my_db:65535'],
    ['192.0.2.1:5432', '192.0.2.1:5432'],
    ['1a.2b:5432', '1a.2b:5432'],
    ['[2001:DB8:0::1]:5432', '[2001:db8::1]:5432'],
    ['[::1]:5432', '[::1]:5432'],
    ['[::ffff:192.0.2.1]:5432', '[::ffff:c000:201]:5432'],
    [`${'a'.repeat(63)}.b:5432`, `${'a'.repeat(63)}.b:5432`],
  ])('reads %s', (text, value) => {
    expect(parseHostPort(text)).toEqual({ kind: 'value', value })
    expect(parseHostPort(value)).toEqual({ kind: 'value', value })
  })

  const form = 'expected HOST:PORT, such as db.example.com:5432'
  const port = 'expected a port from 1 to 65535 after the host'
  test.each([
    ['postgres://db:5432', 'leave out the scheme: expected HOST:PORT'],
    ['ada@db:5432', 'leave out the user: expected HOST:PORT'],
    ['db:5432/app', 'leave out the path: expected HOST:PORT'],
    ['db:5432?a=b', 'leave out the path: expected HOST:PORT'],
    ['2001:db8::1:5432', 'expected an IPv6 address in brackets: [ADDRESS]:PORT'],
    ['', form],
    ['db', form],
    [':5432', form],
    ['db.:5432', form],
    ['a..b:5432', form],
    ['-db:5432', form],
    ['db-:5432', form],
    ['d b:5432', form],
    ['db\n:5432', form],
    ['d%62:5432', form],
    ['bücher:5432', form],
    [`${'a'.repeat(64)}:5432`, form],
    [`${'a.'.repeat(127)}a:5432`, form],
    ['[::1', form],
    ['[::1%25eth0]:5432', form],
    ['[1::2::3]:5432', form],
    ['[192.0.2.1]:5432', form],
    ['[]:5432', form],
    ['db:', port],
    ['db:0', port],
    ['db:65536', port],
    ['db:05432', port],
    ['db:+1', port],
    ['db: 5432', port],
    ['db:5432 ', port],
    ['db:postgres', port],
    ['[::1]:', port],
  ])('refuses %j: %s', (text, why) => {
    expect(parseHostPort(text)).toEqual({ kind: 'invalid', why })
  })
})

test.each(['127.1', '2130706433', '0x7f000001', '0177.0.0.1', '1.2.3.256', '1.2.3.4.5', 'db.0x', '01.2.3.4'])(
  'parseHostName refuses %s, which some readers take for another address',
  (text) => {
    expect(parseHostName(text)).toBeUndefined()
  },
)
