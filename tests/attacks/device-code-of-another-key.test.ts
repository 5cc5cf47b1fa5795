import { expect, test } from 'vitest'
import { builtInClients } from '../../core/oauth/clients.ts'
import { approveDevice, deviceLoginsOf, newDeviceFlow, poll, pollForm } from '../device-flow.ts'
import { lastRefusal } from '../edge.ts'

const clients = new Map([...builtInClients, ['other', { id: 'other', name: 'Another program' }]])

const whyRefused = ({ rows }: Awaited<ReturnType<typeof newDeviceFlow>>['edge']) =>
  rows("select code, json_extract(detail, '$.why') as why from audit order by seq desc limit 1")[0]

test('who has read a device code and holds another key gets nothing by it, and its owner still does', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow({ clients })
  const thief = await edge.program()
  for (const approved of [false, true]) {
    if (approved) expect((await approveDevice(bob, codes)).status).toBe(200)
    expect(await poll(thief, codes)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    expect(whyRefused(edge)).toEqual({ code: 'device_code_invalid', why: 'of another key' })
    const asAnother = await program.token({ ...pollForm(codes), client_id: 'other' })
    expect(asAnother).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    expect(whyRefused(edge)).toEqual({ code: 'device_code_invalid', why: 'of another client' })
  }
  expect(deviceLoginsOf(edge)).toEqual([])
  expect((await poll(program, codes)).status).toBe(200)
})

test('a poll tells nobody whether there is such a code, and slows its owner down for nobody', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow()
  const thief = await edge.program()
  const told = async (device_code: string) => {
    const { status, json } = await poll(thief, { device_code })
    const { request_id: _, ...rest } = json
    return JSON.stringify({ status, rest })
  }
  const unknown = await told('A'.repeat(43))
  for (const another of [codes.device_code, codes.user_code, 'x', 'A'.repeat(256)])
    expect(await told(another)).toBe(unknown)
  await approveDevice(bob, codes)
  expect(await told(codes.device_code)).toBe(unknown)
  expect(edge.rows('select interval, polled_at from device_codes')).toEqual([{ interval: 5000, polled_at: null }])
  await poll(program, codes)
  expect(await told(codes.device_code)).toBe(unknown)
})

test('a poll without a proof, or with one that was used, gets nothing', async () => {
  const { edge, bob, program, codes } = await newDeviceFlow()
  await approveDevice(bob, codes)
  await program.needNonce()
  expect(await program.sendToken(pollForm(codes), undefined)).toMatchObject({ status: 400 })
  expect(lastRefusal(edge)).toBe('dpop_invalid')
  const { program: other } = { program: await edge.program() }
  other.nonce = await program.needNonce()
  const proof = await program.proof('POST', '/oauth/token')
  expect((await program.sendToken(pollForm({ device_code: 'A'.repeat(43) }), proof)).json.error).toBe('invalid_grant')
  expect((await program.sendToken(pollForm(codes), proof)).json.error).toBe('invalid_dpop_proof')
  expect(lastRefusal(edge)).toBe('dpop_replayed')
})

test('tries of codes count against their address', async () => {
  const { edge, program, codes } = await newDeviceFlow({ failuresAMinute: 10 })
  const thief = await edge.program()
  await thief.needNonce()
  const statuses = new Set<number>()
  for (let i = 0; i < 12; i++) statuses.add((await poll(thief, { device_code: `guess ${i}` })).status)
  expect(statuses).toEqual(new Set([400, 429]))
  expect((await poll(program, codes)).json.error).toBe('authorization_pending')
})
