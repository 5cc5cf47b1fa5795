/** Device codes for the contract, as the port takes them and as rows. */
import type { DeviceCodeClaim, NewDeviceCode } from '../../../core/device-flow-ports.ts'
import { type ClientSessionId, minutes, seconds } from '../../../core/model.ts'
import { newUserCode } from '../../../core/oauth/user-code.ts'
import type { Ports } from '../../../core/ports.ts'
import { deviceCodes } from '../../../storage/schema.ts'
import { giveRoles, roleOf, storeDocuments } from './editors.ts'
import { newJkt } from './programs.ts'
import { bytes, changeOf, newEvent, newPerson, newSpend, now, type Person, unique, type World } from './world.ts'

export const programFrom = { address: '198.51.100.9', place: 'Bern, CH', browser: 'unknown' }
export const interval = seconds(5)

export function newDeviceCode(more: Partial<NewDeviceCode> = {}): NewDeviceCode {
  return {
    hash: unique(32),
    userCode: newUserCode({ random: bytes }),
    clientSessionId: unique() as ClientSessionId,
    clientId: 'sallyport-cli',
    jkt: newJkt(),
    scope: 'openid api',
    askedAt: now,
    expiresAt: now + minutes(10),
    interval,
    from: programFrom,
    ...more,
  }
}

type Issuing = Parameters<Ports['deviceCodes']['issue']>[0]

export const issuingOf = (code: NewDeviceCode, more: Partial<Issuing> = {}): Issuing => ({
  ...code,
  ...{ spend: undefined, keepFor: minutes(10), most: 1000 },
  ...more,
})

export async function storeDeviceCode({ ports }: World, more: Partial<NewDeviceCode> = {}): Promise<NewDeviceCode> {
  const code = newDeviceCode(more)
  await ports.deviceCodes.issue(issuingOf(code))
  return code
}

/** Somebody with a role that allows the device flow. */
export async function newHeadlessPerson(world: World): Promise<Person> {
  const person = await newPerson(world)
  const role = `headless-${unique(6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, 'x')}`
  await storeDocuments(world, roleOf(role, { device_flow: true }))
  await giveRoles(world, person, role)
  return person
}

type Approving = Parameters<Ports['deviceCodes']['approve']>[0]

export function approvingOf(person: Person, { hash }: NewDeviceCode, more: Partial<Approving> = {}): Approving {
  const event = newEvent('client.approve', { userId: person.user.id })
  return { ...changeOf(person), event, hash, intentId: unique(), ...more }
}

export const claimOfDevice = ({ hash, clientId, jkt }: NewDeviceCode): DeviceCodeClaim => ({ hash, clientId, jkt })

type Polling = Parameters<Ports['deviceCodes']['poll']>[0]

export const pollingOf = (code: NewDeviceCode, more: Partial<Polling> = {}): Polling => ({
  ...claimOfDevice(code),
  ...{ spend: newSpend(), at: now },
  ...more,
})

type Redeeming = Parameters<Ports['deviceCodes']['redeem']>[0]

export const redeemingOf = (code: NewDeviceCode, more: Partial<Redeeming> = {}): Redeeming => ({
  ...claimOfDevice(code),
  event: newEvent('client.login'),
  ...more,
})

export async function rowOf({ store }: World, { hash }: NewDeviceCode) {
  const rows = await store.db.select().from(deviceCodes)
  return rows.find((row) => row.hash === hash)
}
