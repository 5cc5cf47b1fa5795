/** The device flow from the first request to the tokens, as RFC 8628 has it. */
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { minutes, seconds } from '../../../core/model.ts'
import {
  approveDevice,
  askForCodes,
  askForm,
  headlessRole,
  newDeviceFlow,
  newDeviceLogin,
  poll,
  pollInterval,
  proofForAsk,
  refuseDevice,
  sendAsk,
} from '../../device-flow.ts'
import { lastRefusal, newEdge } from '../../edge.ts'
import { call, newPerson, putDocuments } from '../../people.ts'

const error = (word: string) => ({ status: 400, json: { error: word, error_description: expect.any(String) } })

describe('POST /oauth/device_authorization', () => {
  test('answers both codes, where to enter one, how long it lives and how often to ask', async () => {
    const { program, edge } = await newDeviceFlow()
    const codes = await askForCodes(program)
    expect(codes).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${edge.site.origin}/device`,
      verification_uri_complete: `${edge.site.origin}/device?user_code=${codes.user_code}`,
      expires_in: 600,
      interval: 5,
    })
  })

  test('keeps the device code as a hash, and writes no audit row', async () => {
    const { edge, codes } = await newDeviceFlow()
    expect(JSON.stringify(edge.rows('select * from device_codes'))).not.toContain(codes.device_code)
    const audited = JSON.stringify(edge.rows('select * from audit'))
    expect(audited).not.toContain(codes.device_code)
    expect(audited).not.toContain(codes.user_code)
  })

  test('binds the codes to the key of a proof, of dpop_jkt, or of both, and to no two keys', async () => {
    const { edge, bob, program } = await newDeviceFlow()
    const { dpop_jkt: _, ...bare } = askForm(program)
    const byProof = await sendAsk(program, bare, { dpop: await proofForAsk(program) })
    expect(byProof).toMatchObject({ status: 200, headers: expect.any(Headers) })
    expect(byProof.headers.get('dpop-nonce')).toBeTruthy()
    const byBoth = await sendAsk(program, askForm(program), { dpop: await proofForAsk(program) })
    for (const { json } of [byProof, byBoth]) {
      expect((await approveDevice(bob, json)).status).toBe(200)
      expect((await poll(program, json)).status).toBe(200)
    }
    expect(await sendAsk(program, bare)).toMatchObject(error('invalid_request'))
    expect(await sendAsk(program, { ...bare, dpop_jkt: 'short' })).toMatchObject(error('invalid_request'))
    const other = await edge.program()
    const twoKeys = await sendAsk(program, askForm(other), { dpop: await proofForAsk(program) })
    expect(twoKeys).toMatchObject(error('invalid_dpop_proof'))
  })

  test('spends the proof', async () => {
    const { program } = await newDeviceFlow()
    const dpop = await proofForAsk(program)
    expect((await sendAsk(program, askForm(program), { dpop })).status).toBe(200)
    expect(await sendAsk(program, askForm(program), { dpop })).toMatchObject(error('invalid_dpop_proof'))
  })

  test.each([
    ['an unknown client', { client_id: 'other' }, 'invalid_client'],
    ['an unknown scope', { scope: 'everything' }, 'invalid_scope'],
  ])('refuses %s', async (_, more, word) => {
    const program = await (await newEdge()).program()
    expect(await sendAsk(program, { ...askForm(program), ...more })).toMatchObject(error(word))
  })

  test('is refused in JSON, whatever the program says that it reads', async () => {
    const program = await (await newEdge()).program()
    const { headers, json } = await sendAsk(program, {}, { accept: 'text/html' })
    expect(headers.get('content-type')).toContain('application/json')
    expect(json).toMatchObject({ error: 'invalid_client' })
  })

  test('each address may ask ten times a minute; every time counts', async () => {
    const { edge } = await newDeviceFlow({ failuresAMinute: 10 })
    const program = await edge.program()
    for (let i = 0; i < 10; i++) await askForCodes(program)
    const limited = await sendAsk(program, askForm(program))
    expect(limited).toMatchObject({ status: 429, json: { error: 'too_many_attempts' } })
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
    await askForCodes(await edge.program())
    edge.advance(minutes(1))
    await askForCodes(program)
  })
})

describe('the device code grant', () => {
  test('waits for the answer, and then has tokens of the user, marked as a headless login', async () => {
    const { edge, bob, program, codes } = await newDeviceFlow()
    expect(await poll(program, codes)).toMatchObject(error('authorization_pending'))
    expect(await approveDevice(bob, codes)).toMatchObject({
      status: 200,
      json: { location: `/device?user_code=${codes.user_code}` },
    })
    const { status, json } = await poll(program, codes)
    expect(status).toBe(200)
    expect(json).toMatchObject({ token_type: 'DPoP', expires_in: 600, scope: 'openid api' })
    expect(decodeJwt(json.access_token)).toMatchObject({ via: 'device_flow', cnf: { jkt: program.key.jkt } })
    expect(decodeJwt(json.id_token)).toMatchObject({ name: 'Bob', aud: 'sallyport-cli' })
    const me = await program.call('GET', '/v1/me', json.access_token)
    expect(me).toMatchObject({ status: 200, json: { user: { name: 'Bob' }, via: 'device_flow' } })
    expect(edge.rows('select via, generation from client_sessions order by rowid desc limit 1')).toEqual([
      { via: 'device_flow', generation: 1 },
    ])
  })

  test('a refresh keeps the mark; a login by a browser has none', async () => {
    const { person, bob } = await newDeviceLogin()
    const { json } = await person.program.refresh(person.refreshToken)
    expect(decodeJwt(json.access_token)).toMatchObject({ via: 'device_flow' })
    expect(decodeJwt(bob.token)).not.toHaveProperty('via')
    expect((await call(bob, 'GET', '/v1/me')).json).toMatchObject({ via: 'browser' })
  })

  test('who asks too soon hears slow_down, and has to wait five seconds more each time', async () => {
    const { edge, program, codes } = await newDeviceFlow()
    const asked = async () => (await poll(program, codes)).json.error
    expect(await asked()).toBe('authorization_pending')
    edge.advance(pollInterval - 1)
    expect(await asked()).toBe('slow_down')
    edge.advance(seconds(10) - 1)
    expect(await asked()).toBe('slow_down')
    edge.advance(seconds(15))
    expect(await asked()).toBe('authorization_pending')
    expect(edge.rows('select interval from device_codes')).toEqual([{ interval: 15_000 }])
  })

  test('waiting writes no audit row, however long', async () => {
    const { edge, program, codes } = await newDeviceFlow()
    await program.needNonce()
    const rows = () => edge.rows('select seq from audit').length
    const before = rows()
    for (let i = 0; i < 5; i++) await poll(program, codes)
    expect(rows()).toBe(before)
  })

  test('refused, it is told access_denied, and asks no more', async () => {
    const { edge, bob, program, codes } = await newDeviceFlow()
    expect((await refuseDevice(bob, codes)).status).toBe(200)
    expect(await poll(program, codes)).toMatchObject(error('access_denied'))
    expect(lastRefusal(edge)).toBe('device_refused')
    expect(edge.rows("select detail from audit where kind = 'client.refuse'")).toEqual([
      { detail: expect.stringContaining(`"user_code":"${codes.user_code}"`) },
    ])
  })

  test('the approval tells the auditor where the program runs, beside where the browser is', async () => {
    const { edge, bob, program, codes } = await newDeviceFlow()
    await approveDevice(bob, codes)
    const [row = {}] = edge.rows(
      "select address, detail, evidence from audit where kind = 'client.approve' order by seq desc limit 1",
    )
    expect(row['address']).toBe(bob.visitor.address)
    expect(JSON.parse(String(row['detail']))).toMatchObject({
      via: 'device_flow',
      user_code: codes.user_code,
      program_address: program.visitor.address,
    })
    expect(String(row['evidence'])).toContain('"purpose":"cli"')
  })
})

test('the metadata names the endpoint and the grant', async () => {
  const { edge } = await newDeviceFlow()
  for (const path of ['oauth-authorization-server', 'openid-configuration'])
    expect((await edge.visitor().get(`/.well-known/${path}`)).json).toMatchObject({
      device_authorization_endpoint: `${edge.site.origin}/oauth/device_authorization`,
      grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:device_code']),
    })
})

describe('the role option device_flow', () => {
  test('one role that allows it is enough', async () => {
    const { ada, edge } = await newDeviceFlow()
    const off = { ...headlessRole(false), metadata: { name: 'off' } }
    expect((await putDocuments(ada, [off])).status).toBe(200)
    const eve = await newPerson(ada, 'Eve', ['off', 'headless'])
    const program = await edge.program()
    const codes = await askForCodes(program)
    expect((await approveDevice(eve, codes)).status).toBe(200)
    expect((await poll(program, codes)).status).toBe(200)
  })
})
