import { expect, test } from 'vitest'
import { isSameSource } from '../../../core/access/source-ip.ts'

test.for([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['2001:db8::1', '2001:DB8:0::0:1'],
  ['127.0.0.1', '::1'],
  ['::ffff:127.0.0.1', '::1'],
  ['127.0.0.1', '127.0.0.2'],
] as const)('%s and %s are one', ([one, other]) => {
  expect(isSameSource(one, other)).toBe(true)
  expect(isSameSource(other, one)).toBe(true)
})

test.for([
  ['192.0.2.1', '192.0.2.2'],
  ['192.0.2.1', '127.0.0.1'],
  ['::1', '::2'],
  ['::1', '::'],
  ['2001:db8::1', '2001:db8::2'],
  // Whoever shares a tunnel or a translator with it is somebody else.
  ['2002:c000:201::1', '192.0.2.1'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['2002:7f00:1::1', '127.0.0.1'],
  ['unknown', 'unknown'],
  ['', ''],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['192.0.2.1, 192.0.2.1', '192.0.2.1'],
] as const)('%s and %s are not', ([one, other]) => {
  expect(isSameSource(one, other)).toBe(false)
  expect(isSameSource(other, one)).toBe(false)
})
