import { existsSync, mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectRefusedStart, newHome } from './start.ts'

const wrong: readonly (readonly [name: string, value: string, hint: RegExp])[] = [
  ['SALLYPORT_PUBLIC_URL', 'access.example.com', /scheme, host and port only/],
  ['SALLYPORT_PUBLIC_URL', 'https://access.example.com/path', /scheme, host and port only/],
  ['SALLYPORT_PUBLIC_URL', 'https://me:secret@access.example.com', /scheme, host and port only/],
  ['SALLYPORT_PUBLIC_URL', 'http://access.example.com', /use https/],
  ['SALLYPORT_PUBLIC_URL', 'https://192.0.2.1', /use a name/],
  ['SALLYPORT_PUBLIC_URL', 'https://[::1]:3080', /use a name/],
  ['SALLYPORT_RP_ID', 'example.com', /host of the public URL/],
  ['SALLYPORT_CLUSTER', 'Not a name', /1 to 63 lower case letters/],
  ['SALLYPORT_EDGE_PORT', '0', /from 1 to 65535/],
  ['SALLYPORT_EDGE_PORT', '65536', /from 1 to 65535/],
  ['SALLYPORT_EDGE_PORT', '80.5', /from 1 to 65535/],
  ['SALLYPORT_EDGE_PORT', 'http', /from 1 to 65535/],
  ['SALLYPORT_LOGIN_LIMIT', '0', /from 1 to/],
  ['SALLYPORT_LOGIN_LIMIT', '-1', /from 1 to/],
  ['SALLYPORT_LOGIN_LIMIT', 'many', /from 1 to/],
]

test.each(wrong)('start refuses %s=%s by name, before it makes anything', async (name, value, hint) => {
  const home = newHome()
  mkdirSync(home)
  await expectRefusedStart({ home, env: { [name]: value } }, new RegExp(`Cannot start: ${name} is `), hint)
  expect(existsSync(`${home}/data`)).toBe(false)
})
