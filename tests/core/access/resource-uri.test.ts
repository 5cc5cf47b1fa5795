/** The resource of a token exchange: one text for each session, and no text for two. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SessionAsk } from '../../../core/access/request-session.ts'
import { parseResourceUri, resourceUri } from '../../../core/access/resource-uri.ts'

const proxy = { id: 'p'.repeat(43), boot: 'Ym9vdA' }
const on = (kind: SessionAsk['resource']['kind'], name: string): SessionAsk => ({
  ...{ resource: { kind, name }, principal: {}, proxy },
  ...{ impersonate: undefined, certificate: undefined },
})

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const hosts = fc.oneof(
  fc.tuple(label, label, fc.integer({ min: 1, max: 65_535 })).map(([a, b, port]) => `${a}.${b}:${port}`),
  fc.constantFrom('10.0.0.5:22', '[2600::5]:443', '[::1]:80'),
)
const asks = fc.oneof(
  hosts.map((name) => on('host', name)),
  label.map((name) => on('app', name)),
)

test('what is written is read again, and two sessions never have one URI', () => {
  fc.assert(
    fc.property(asks, asks, (one, other) => {
      expect(parseResourceUri(resourceUri(one))).toEqual(one)
      const isSame = one.resource.kind === other.resource.kind && one.resource.name === other.resource.name
      expect(resourceUri(one) === resourceUri(other)).toBe(isSame)
    }),
  )
})

describe('refused', () => {
  const head = `sallyport://${proxy.id}`
  test.each([
    ['a host that is spelled in another way', `${head}/host/Git.internal%3A443?boot=Ym9vdA`],
    ['without encoding', `${head}/host/git.internal:443?boot=Ym9vdA`],
    ['encoded more than once can be', `${head}/host/git%2Einternal%3A443?boot=Ym9vdA`],
    ['in another encoding', `${head}/host/git.internal%3a443?boot=Ym9vdA`],
    ['without a port', `${head}/host/git.internal?boot=Ym9vdA`],
    ['port 0', `${head}/host/git.internal%3A0?boot=Ym9vdA`],
    ['of one label', `${head}/host/git%3A443?boot=Ym9vdA`],
    ['named like a resource', `${head}/host/git?boot=Ym9vdA`],
    ['a resource named like a host', `${head}/app/git.internal%3A443?boot=Ym9vdA`],
    ['a trailing dot', `${head}/host/git.internal.%3A443?boot=Ym9vdA`],
    ['an address in another notation', `${head}/host/0x7f.1%3A443?boot=Ym9vdA`],
    ['broken encoding', `${head}/host/git.internal%3?boot=Ym9vdA`],
  ])('%s', (_, text) => {
    expect(() => parseResourceUri(text)).toThrow(expect.objectContaining({ code: 'target_invalid' }))
  })
})
