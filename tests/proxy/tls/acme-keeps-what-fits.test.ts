/** What an authority gives is kept only if it is for the name that was ordered, and for the key that was made for it. */
import { expect, test } from 'vitest'
import { keptOf } from '../../../proxy/acme/store.ts'
import { issue } from '../../cli/certificates.ts'

test('keptOf', async () => {
  const own = await issue('own', { names: ['a.test', '*.b.test'] })
  const other = await issue('other', { names: ['a.test'] })
  expect(keptOf('a.test', own.pem, own.key)).toMatchObject({ cert: own.pem, key: own.key })
  expect(keptOf('c.test', own.pem, own.key)).toBeUndefined()
  // A wildcard was not ordered.
  expect(keptOf('x.b.test', own.pem, own.key)).toBeUndefined()
  expect(keptOf('a.test', own.pem, other.key)).toBeUndefined()
  expect(keptOf('a.test', 'x', own.key)).toBeUndefined()
  expect(keptOf('a.test', own.pem, 'x')).toBeUndefined()
})
