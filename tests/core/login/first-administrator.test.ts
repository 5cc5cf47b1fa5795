import { describe, expect, test } from 'vitest'
import { deriveKeys } from '../../../core/keys.ts'
import type { MacKey } from '../../../core/lib/hash.ts'
import { acceptOffer, checkLink, offerFirstAdministrator } from '../../../core/login/first-administrator.ts'
import { proveOffer, type RemoteOffer } from '../../../core/login/operator-offer.ts'
import { hours, minutes } from '../../../core/model.ts'
import { registerFirst } from '../../client.ts'
import { lastRefusal, newAdministrator, newEdge, type TestEdge, terminal } from '../../edge.ts'
import { hashOf, text64 } from '../signer.ts'

const secret = text64(new Uint8Array(32).fill(5))
const linkOf = (text: string) => text64(hashOf(Buffer.from(text, 'base64url')))
const offerAt = (now: number, changes: Partial<RemoteOffer> = {}): RemoteOffer => ({
  link: linkOf(secret),
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  iat: Math.floor(now / 1000),
  ...changes,
})

/** An offer, proven by the key and for the cluster of this edge unless said otherwise. */
async function accept(
  edge: TestEdge,
  offer = offerAt(edge.ports.now()),
  { key = edge.ports.keys.operator, cluster = edge.site.cluster, proof = '' } = {},
) {
  return acceptOffer(edge.site, edge.ports, terminal, offer, proof || prove(key, cluster, offer))
}

const prove = (key: MacKey, cluster: string, offer: RemoteOffer) =>
  proveOffer(key, cluster, { offer: 'first-administrator' }, offer)

const linksOf = (edge: TestEdge) => edge.rows('select hash, expires_at from administrator_link')

describe('acceptOffer', () => {
  test('opens the link for an hour, spends the id and writes it down', async () => {
    const edge = await newEdge()
    const expiresAt = edge.ports.now() + hours(1)
    expect(await accept(edge)).toEqual({ expiresAt })
    expect(linksOf(edge)).toEqual([{ hash: linkOf(secret), expires_at: expiresAt }])
    expect(edge.rows('select id from spent')).toEqual([{ id: `offer.${'A'.repeat(22)}` }])
    expect(edge.rows('select kind, outcome from audit')).toEqual([{ kind: 'administrator.offer', outcome: 'done' }])
    expect(await checkLink(edge.ports, terminal, secret)).toMatchObject({ hash: linkOf(secret) })
  })

  test('is proven by the key alone that SALLYPORT_KEY gives for it', async () => {
    const edge = await newEdge()
    const offer = offerAt(edge.ports.now())
    const other = await deriveKeys(new Uint8Array(32).fill(8))
    const good = prove(edge.ports.keys.operator, edge.site.cluster, offer)
    const proofs = [
      prove(other.operator, edge.site.cluster, offer),
      prove(edge.ports.keys.ticket, edge.site.cluster, offer),
      prove(edge.ports.keys.operator, 'another cluster', offer),
      prove(edge.ports.keys.operator, edge.site.cluster, { ...offer, id: 'AQAAAAAAAAAAAAAAAAAAAA' }),
      prove(edge.ports.keys.operator, edge.site.cluster, { ...offer, iat: offer.iat + 1 }),
      prove(edge.ports.keys.operator, edge.site.cluster, { ...offer, link: linkOf('AAAA') }),
      `${good}=`,
      ` ${good}`,
      good.slice(0, -1),
      `${good}AAAA`,
      Buffer.from(good, 'base64url').toString('hex'),
      '!',
    ]
    for (const proof of proofs) {
      await expect(accept(edge, offer, { proof }), proof).rejects.toMatchObject({ code: 'operator_unproven' })
      expect(lastRefusal(edge)).toBe('operator_unproven')
    }
    await expect(acceptOffer(edge.site, edge.ports, terminal, offer, '')).rejects.toMatchObject({
      code: 'operator_unproven',
    })
    expect(linksOf(edge)).toEqual([])
    expect(await accept(edge, offer, { proof: good })).toBeDefined()
  })

  test.each([
    ['61 seconds old', -61, false],
    ['60 seconds old', -60, true],
    ['60 seconds in the future', 60, true],
    ['61 seconds in the future', 61, false],
    ['a day old', -86_400, false],
    ['without a time', Number.NaN, false],
  ])('an offer %s', async (_what, shift, accepted) => {
    const edge = await newEdge()
    const offer = offerAt(edge.ports.now())
    const made = accept(edge, { ...offer, iat: Number.isNaN(shift) ? 0 : offer.iat + shift })
    if (accepted) expect(await made).toBeDefined()
    else await expect(made).rejects.toMatchObject({ code: 'operator_unproven' })
    expect(linksOf(edge)).toHaveLength(accepted ? 1 : 0)
  })
})

describe('acceptOffer, though it is proven,', () => {
  test('refuses what was proven but has been answered: a replay would bring a dead link back', async () => {
    const edge = await newEdge()
    const first = offerAt(edge.ports.now())
    await accept(edge, first)
    await accept(edge, offerAt(edge.ports.now(), { id: 'AgAAAAAAAAAAAAAAAAAAAA', link: linkOf('AAAA') }))
    await expect(accept(edge, first)).rejects.toMatchObject({ code: 'ticket_spent' })
    expect(linksOf(edge)).toMatchObject([{ hash: linkOf('AAAA') }])
    edge.advance(minutes(1))
    await expect(accept(edge, first)).rejects.toMatchObject({ code: 'ticket_spent' })
  })

  test('two replays at once open one link', async () => {
    const edge = await newEdge()
    const outcomes = await Promise.allSettled([accept(edge), accept(edge), accept(edge)])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test.each([
    ['31 bytes', text64(new Uint8Array(31))],
    ['33 bytes', text64(new Uint8Array(33))],
    ['hex', '00'.repeat(32)],
    ['padding', `${text64(new Uint8Array(32))}=`],
    ['nothing', ''],
  ])('refuses a link that is no SHA-256, proven as it is: %s', async (_what, link) => {
    const edge = await newEdge()
    const offer = offerAt(edge.ports.now(), { link })
    await expect(accept(edge, offer)).rejects.toMatchObject({ code: 'operator_unproven' })
    expect(linksOf(edge)).toEqual([])
  })

  test('refuses while there is an administrator, and spends nothing', async () => {
    const { edge } = await newAdministrator()
    await expect(accept(edge)).rejects.toMatchObject({ code: 'administrator_exists' })
    expect(edge.rows("select id from spent where id like 'offer.%'")).toEqual([])
    expect(lastRefusal(edge)).toBe('administrator_exists')
  })

  test.each(['link', 'id'] as const)('refuses a lone surrogate in the %s, which JSON can carry', async (member) => {
    const edge = await newEdge()
    const offer = offerAt(edge.ports.now(), { [member]: '\ud800' })
    await expect(accept(edge, offer, { proof: 'AAAA' })).rejects.toMatchObject({ name: 'Refusal' })
  })
})

describe('offerFirstAdministrator', () => {
  test('answers a secret whose hash alone is stored, and kills the link before', async () => {
    const edge = await newEdge()
    const first = await offerFirstAdministrator(edge.ports, terminal)
    const second = await offerFirstAdministrator(edge.ports, terminal)
    expect(linksOf(edge)).toEqual([{ hash: linkOf(second!.secret), expires_at: second!.expiresAt }])
    await expect(checkLink(edge.ports, terminal, first!.secret)).rejects.toMatchObject({ code: 'link_invalid' })
    expect(JSON.stringify(edge.rows('select * from audit'))).not.toContain(second!.secret)
  })

  test('answers nothing once there is an administrator', async () => {
    const { edge } = await newAdministrator()
    expect(await offerFirstAdministrator(edge.ports, terminal)).toBeUndefined()
  })
})

describe('checkLink', () => {
  test.each([
    ['another secret', text64(new Uint8Array(32))],
    ['no base64url', '!!!'],
    ['nothing', ''],
    ['padding', `${secret}=`],
    ['the hash itself', linkOf(secret)],
  ])('refuses %s', async (_what, given) => {
    const edge = await newEdge()
    await accept(edge)
    await expect(checkLink(edge.ports, terminal, given)).rejects.toMatchObject({ code: 'link_invalid' })
  })

  test('refuses every secret where no link was ever made', async () => {
    const edge = await newEdge()
    for (const given of ['', secret])
      await expect(checkLink(edge.ports, terminal, given)).rejects.toMatchObject({ code: 'link_invalid' })
    expect(lastRefusal(edge)).toBe('link_invalid')
  })

  test('refuses after an hour, to the millisecond', async () => {
    const edge = await newEdge()
    await accept(edge)
    edge.advance(hours(1) - 1)
    expect(await checkLink(edge.ports, terminal, secret)).toBeDefined()
    edge.advance(1)
    await expect(checkLink(edge.ports, terminal, secret)).rejects.toMatchObject({ code: 'link_invalid' })
  })

  test('refuses the right secret where there is an administrator, whatever link the database holds', async () => {
    const { edge } = await newAdministrator()
    const row = edge.store.raw.prepare('insert into administrator_link (slot, hash, expires_at) values (1, ?, ?)')
    row.run(linkOf(secret), edge.ports.now() + hours(1))
    await expect(checkLink(edge.ports, terminal, secret)).rejects.toMatchObject({ code: 'link_invalid' })
  })

  test('refuses the link that was used', async () => {
    const edge = await newEdge()
    const used = await edge.offer()
    expect((await registerFirst(edge.visitor(), used, await edge.authenticator())).status).toBe(200)
    await expect(checkLink(edge.ports, terminal, used)).rejects.toMatchObject({ code: 'link_invalid' })
  })
})
