import { describe, expect, test } from 'vitest'
import {
  type PostgresReason,
  parsePostgres,
  postgresError,
  postgresNo,
  postgresTls,
} from '../../../core/route/postgres.ts'
import { bytesOf, bytesOfHex, join } from '../hello-writer.ts'

function packet(code: number, body: Uint8Array | string = ''): Uint8Array {
  const bytes = typeof body === 'string' ? new Uint8Array(Buffer.from(body)) : body
  const head = Buffer.alloc(8)
  head.writeUInt32BE(bytes.length + 8, 0)
  head.writeUInt32BE(code, 4)
  return join(head, bytes)
}
const startup = (parameters: readonly string[], minor = 0) =>
  packet(0x30000 + minor, `${parameters.map((word) => `${word}\0`).join('')}\0`)

describe('parsePostgres reads', () => {
  test.each([
    ['ssl', '00000008 04d2162f'],
    ['gssenc', '00000008 04d21630'],
    ['cancel', '00000010 04d2162e 00000001 00000002'],
    ['cancel', `0000010c 04d2162e 00000001 ${'ff'.repeat(256)}`],
  ])('%s, and says exactly how much it used', (kind, hex) => {
    const bytes = bytesOfHex(hex)
    expect(parsePostgres(bytes)).toEqual({ kind: 'value', value: { kind }, used: bytes.length })
    expect(parsePostgres(join(bytes, bytesOf('stuffed')))).toMatchObject({ value: { kind }, used: bytes.length })
    for (let length = 0; length < bytes.length; length++)
      expect(parsePostgres(bytes.subarray(0, length)).kind).toBe('more')
  })

  test.each([0, 1, 2])('a StartupMessage of 3.%i', (minor) => {
    const bytes = startup(['user', 'ann', 'database', 'orders', 'application_name', ''], minor)
    expect(parsePostgres(bytes)).toEqual({
      kind: 'value',
      value: {
        kind: 'startup',
        startup: {
          minor,
          user: 'ann',
          database: 'orders',
          replication: false,
          options: false,
          parameters: new Map([
            ['user', 'ann'],
            ['database', 'orders'],
            ['application_name', ''],
          ]),
        },
      },
      used: bytes.length,
    })
  })

  test.each([
    ['absent', ['user', 'ann']],
    ['empty', ['database', '', 'user', 'ann']],
  ])('the user for a database that is %s', (_, parameters) => {
    expect(parsePostgres(startup(parameters))).toMatchObject({ value: { startup: { user: 'ann', database: 'ann' } } })
  })

  test('that replication and options are there, whatever they say', () => {
    expect(parsePostgres(startup(['user', 'a', 'replication', 'off', 'options', '-c x=y']))).toMatchObject({
      value: { startup: { replication: true, options: true } },
    })
  })

  test('a name of 63 bytes', () => {
    expect(parsePostgres(startup(['user', 'ä'.repeat(31)])).kind).toBe('value')
  })
})

describe('parsePostgres refuses', () => {
  test.each<[PostgresReason, string, Uint8Array]>([
    ['postgres_length', 'no length', bytesOfHex('00000000 00030000')],
    ['postgres_length', 'a length of 7', bytesOfHex('00000007 00030000')],
    ['postgres_length', '10,001 at the header', bytesOfHex('00002711 00030000')],
    ['postgres_length', '4 GiB at the header', bytesOfHex('ffffffff 00030000')],
    ['postgres_length', 'SSLRequest of 9', bytesOfHex('00000009 04d2162f 00')],
    ['postgres_length', 'GSSENCRequest of 12', bytesOfHex('0000000c 04d21630')],
    ['postgres_length', 'CancelRequest of 15', bytesOfHex('0000000f 04d2162e')],
    ['postgres_length', 'CancelRequest of 269', bytesOfHex('0000010d 04d2162e')],
    ['postgres_version', '2.0', bytesOfHex('00000054 00020000')],
    ['postgres_version', '3.3', bytesOfHex('00000054 00030003')],
    ['postgres_version', '4.0', bytesOfHex('00000054 00040000')],
    ['postgres_version', 'a code that nobody knows', bytesOfHex('00000008 04d21631')],
    ['postgres_user_missing', 'no parameter', startup([])],
    ['postgres_user_missing', 'no user', startup(['database', 'a'])],
    ['postgres_user_missing', 'an empty user', startup(['user', ''])],
    ['postgres_parameter_twice', 'two users', startup(['user', 'ann', 'user', 'bob'])],
    ['postgres_parameter_twice', 'two of another', startup(['user', 'ann', 'x', '', 'x', ''])],
    ['postgres_malformed', 'no end', packet(0x30000)],
    ['postgres_malformed', 'a name without a value', packet(0x30000, 'user\0\0')],
    ['postgres_malformed', 'a value without an end', packet(0x30000, 'user\0ann')],
    ['postgres_malformed', 'no last NUL', packet(0x30000, 'user\0ann\0')],
    ['postgres_malformed', 'more behind the end', packet(0x30000, 'user\0ann\0\0database\0x\0\0')],
    ['postgres_malformed', 'an empty name', packet(0x30000, '\0x\0user\0ann\0\0')],
    ['postgres_not_text', 'bytes that are not UTF-8', packet(0x30000, bytesOf('user\0\xff\0\0'))],
    ['postgres_name_too_long', 'a user that the server would cut', startup(['user', 'ä'.repeat(32)])],
    ['postgres_name_too_long', 'a database that it would cut', startup(['user', 'a', 'database', 'b'.repeat(64)])],
  ])('%s: %s', (why, _, bytes) => {
    expect(parsePostgres(bytes)).toEqual({ kind: 'invalid', why })
  })
})

describe('the answers', () => {
  test('to SSLRequest', () => {
    expect([...postgresTls, ...postgresNo]).toEqual([0x53, 0x4e])
  })

  test('an error, with its length', () => {
    const bytes = Buffer.from(postgresError('invalidAuthorization', 'user bob is not what was approved'))
    expect(bytes.toString('latin1', 5)).toBe('SFATAL\0VFATAL\0C28000\0Muser bob is not what was approved\0\0')
    expect([bytes[0], bytes.readUInt32BE(1)]).toEqual([0x45, bytes.length - 1])
  })

  test('an error cannot be split, moved about a terminal, or grow', () => {
    const text = Buffer.from(
      postgresError('protocolViolation', `a\0C00000\n\x1b[2J\u202e${'b'.repeat(9_000)}`),
    ).toString()
    expect(text.slice(5).split('\0')).toHaveLength(6)
    for (const character of ['\x1b', '\n', '\u202e']) expect(text).not.toContain(character)
    expect(text.length).toBeLessThan(700)
  })
})
