import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../core/lib/bytes.ts'
import { sha256 } from '../../../core/lib/hash.ts'
import { ofOneRp, rpIdFits, rpIdOf, rpIdsOf, siteUnder } from '../../../core/login/relying-party.ts'
import type { Site } from '../../../core/model.ts'

const hashOf = (id: string) => sha256(utf8(id))
const origin = 'https://access.example.com'
const site: Site = {
  cluster: 'test',
  origin,
  rpId: 'access.example.com',
  rpIdHash: hashOf('access.example.com'),
}
const moved = siteUnder(site, { rpId: 'example.com', formerRpIds: ['access.example.com', 'old.example'] })

describe('siteUnder', () => {
  test('changes nothing where the preference says nothing, or the same', () => {
    expect(siteUnder(site, { rpId: undefined, formerRpIds: [] })).toBe(site)
    expect(siteUnder(site, { rpId: site.rpId, formerRpIds: [] })).toBe(site)
  })

  test('takes the relying parties of the preference', () => {
    expect(moved).toMatchObject({ cluster: 'test', origin, rpId: 'example.com', rpIdHash: hashOf('example.com') })
    expect(rpIdsOf(moved)).toEqual(['example.com', 'access.example.com', 'old.example'])
    expect(rpIdsOf(siteUnder(site, { rpId: undefined, formerRpIds: ['old.example'] }))).toEqual([
      'access.example.com',
      'old.example',
    ])
  })
})

test('rpIdOf names the relying party that was signed for, and none that is not of the cluster', () => {
  for (const id of rpIdsOf(moved)) expect(rpIdOf(moved, hashOf(id))).toBe(id)
  expect(rpIdOf(moved, hashOf('example.org'))).toBeUndefined()
  expect(rpIdOf(site, hashOf('example.com'))).toBeUndefined()
  expect(rpIdOf(site, new Uint8Array(0))).toBeUndefined()
})

test('ofOneRp chooses today’s, then those of before in their order', () => {
  const [a, b, c, d] = ['example.com', 'access.example.com', 'old.example', 'gone.example'].map((rpId) => ({ rpId }))
  expect(ofOneRp(moved, [b!, a!, a!])).toEqual({ rpId: 'example.com', credentials: [a, a] })
  expect(ofOneRp(moved, [c!, b!, d!])).toEqual({ rpId: 'access.example.com', credentials: [b] })
  expect(ofOneRp(moved, [d!, c!])).toEqual({ rpId: 'old.example', credentials: [c] })
  for (const none of [[d!], []]) expect(() => ofOneRp(moved, none)).toThrow('passkeys_elsewhere')
})

test.each<[string, readonly string[], boolean]>([
  ['access.example.com', [], true],
  ['example.com', [], true],
  ['com', [], false],
  ['le.com', [], false],
  ['example.org', [], false],
  ['below.access.example.com', [], false],
  ['example.org', ['https://access.example.org'], false],
  ['example.org', [origin], true],
  ['co.uk', [origin], false],
  ['workers.dev', [origin], false],
])('rpIdFits: %s with the related origins %j: %s', (rpId, related, fits) => {
  expect(rpIdFits({ origin }, rpId, related)).toBe(fits)
})

test.each(['team.workers.dev', 'example.co.uk', 'example.com.au', 'example.github.io'])(
  'rpIdFits takes no domain that strangers share: above access.%s',
  (domain) => {
    const parent = domain.slice(domain.indexOf('.') + 1)
    expect(rpIdFits({ origin: `https://access.${domain}` }, domain, [])).toBe(true)
    expect(rpIdFits({ origin: `https://access.${domain}` }, parent, [])).toBe(false)
  },
)
