/** Places: who gets one, and who has to leave for it. */
import { expect, test } from 'vitest'
import { makeSlots, type Place } from '../../proxy/slots.ts'

/** Takes a place under a name, and remembers who has lost his. */
function newSlots(most: number, mostOfOne: number) {
  const slots = makeSlots(most, mostOfOne)
  const lost: string[] = []
  const take = (address: string, name = address): Place =>
    slots.take(address, (code) => void lost.push(`${name} ${code}`))
  return { take, lost }
}

test('a network that is full makes room by the one of its own that has stood still the longest', () => {
  const { take, lost } = newSlots(10, 2)
  const first = take('192.0.2.1', 'first')
  take('192.0.2.1', 'second')
  take('192.0.2.2', 'another')
  first.moved()
  take('192.0.2.1', 'third')
  expect(lost).toEqual(['second too_many_of_one_network'])
  take('192.0.2.1', 'fourth')
  expect(lost.slice(1)).toEqual(['first too_many_of_one_network'])
})

test('where all is full, the network with the most makes room, not the one that came first', () => {
  const { take, lost } = newSlots(4, 3)
  take('192.0.2.1', 'user')
  take('192.0.2.2', 'stranger 1')
  take('192.0.2.2', 'stranger 2')
  take('192.0.2.2', 'stranger 3')
  take('192.0.2.3', 'another user')
  expect(lost).toEqual(['stranger 1 too_many_connections'])
})

test('of networks that have as many, the one that has stood still the longest', () => {
  const { take, lost } = newSlots(3, 3)
  const [first] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => take(address))
  first?.moved()
  take('192.0.2.4')
  take('192.0.2.5')
  take('192.0.2.6')
  expect(lost.map((one) => one.split(' ')[0])).toEqual(['192.0.2.2', '192.0.2.3', '192.0.2.1'])
})

test('a place that was left or lost is free once, whatever its holder does then', () => {
  const { take, lost } = newSlots(2, 2)
  const left = take('192.0.2.1', 'left')
  left.leave()
  left.leave()
  left.moved()
  const loser = take('192.0.2.1', 'loser')
  take('192.0.2.2', 'stays')
  take('192.0.2.3', 'comes')
  loser.leave()
  loser.moved()
  expect(lost).toEqual(['loser too_many_connections'])
  take('192.0.2.4', 'comes too')
  expect(lost.slice(1)).toEqual(['stays too_many_connections'])
})

test('a /64 of IPv6 is one network, and IPv4 in IPv6 form is IPv4', () => {
  const { take, lost } = newSlots(10, 1)
  take('2001:db8::1')
  take('2001:db8::2')
  take('2001:db8:0:1::1')
  take('::ffff:192.0.2.1')
  take('192.0.2.1')
  expect(lost.map((one) => one.split(' ')[0])).toEqual(['2001:db8::1', '::ffff:192.0.2.1'])
})

test('100,000 comings and goings in any order: never more than there are places, and the last to come has his', () => {
  const [most, mostOfOne, networks] = [40, 8, 30]
  const slots = makeSlots(most, mostOfOne)
  const held = new Map<number, { readonly network: number; readonly place: Place }>()
  for (let name = 0; name < 100_000; name++) {
    const network = name % 7 === 0 ? Math.floor(Math.random() * networks) : name % 3
    const place = slots.take(`192.0.2.${network}`, () => void held.delete(name))
    held.set(name, { network, place })
    const counts = new Map<number, number>()
    for (const one of held.values()) counts.set(one.network, (counts.get(one.network) ?? 0) + 1)
    if (held.size > most || Math.max(...counts.values()) > mostOfOne || !held.has(name))
      throw new Error(`${name}: ${held.size} in all, ${[...counts.values()]}`)
    for (const [other, one] of held) {
      if (Math.random() > 0.03) continue
      if (Math.random() < 0.5) one.place.moved()
      else {
        one.place.leave()
        held.delete(other)
      }
    }
  }
})

test('for one that speaks for many only the limit of all holds, until he says for whom', () => {
  const slots = makeSlots(10, 1)
  const lost: string[] = []
  const take = (name: string, isTrusted: boolean) =>
    slots.take('192.0.2.1', (code) => void lost.push(`${name} ${code}`), isTrusted)
  const places = ['a', 'b', 'c'].map((name) => take(name, true))
  expect(lost).toEqual([])
  for (const place of places) place.movesTo('198.51.100.7')
  expect(lost).toEqual(['a too_many_of_one_network', 'b too_many_of_one_network'])
  // Nobody stands at the first address any more.
  take('d', false)
  expect(lost).toHaveLength(2)
  places[0]?.movesTo('192.0.2.9')
  places[2]?.leave()
  places[2]?.movesTo('192.0.2.1')
  expect(lost).toHaveLength(2)
})

test('one that speaks for many leaves room where all is full', () => {
  const slots = makeSlots(2, 1)
  const lost: string[] = []
  slots.take('192.0.2.1', () => void lost.push('a'), true)
  slots.take('192.0.2.1', () => void lost.push('b'), true)
  slots.take('192.0.2.9', () => void lost.push('c'))
  expect(lost).toEqual(['a'])
})
