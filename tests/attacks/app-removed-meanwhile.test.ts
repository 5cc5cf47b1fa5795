/** As credential-removed-meanwhile, of apps and passwords: what they approved ends with them. */
import { expect, test } from 'vitest'
import { codeBody, deviceCodeBody, newCodeDeviceFlow, newCodeLogin, newCodePerson } from '../code-approvals.ts'
import { poll } from '../device-flow.ts'
import { addTotp, changeBody, codeAt, goodPassword, setPassword } from '../factors.ts'
import { call, reset } from '../people.ts'
import { askOf, parametersAt } from '../program.ts'

type Scene = Awaited<ReturnType<typeof newCodePerson>>

/** A second app is added, and the first, which approved, is removed by its codes. */
async function removeFirstApp({ edge, signIn, code }: Scene): Promise<void> {
  const visitor = await signIn()
  const added = await addTotp(edge, visitor, { current: { password: goodPassword, code: code() } }, 'Second')
  expect(added.reply.status).toBe(200)
  edge.advance(30_000)
  const [first] = edge.rows('select id from totps order by rowid')
  const path = `/v1/totp/${first?.['id']}/remove`
  const current = { password: goodPassword, code: codeAt(added.secret, edge.ports.now()) }
  expect((await visitor.post(path, await changeBody(visitor, path, {}, { current }))).status).toBe(200)
}

async function changePassword({ signIn, code }: Scene): Promise<void> {
  const current = { current: { password: goodPassword, code: '' } }
  const visitor = await signIn()
  current.current.code = code()
  expect((await setPassword(visitor, current, 'four other nouns: gravel, violin, tent, plum')).status).toBe(200)
}

const endings: readonly (readonly [reason: string, words: string, end: (scene: Scene) => Promise<void>])[] = [
  ['app_removed', 'authenticator app whose code approved', removeFirstApp],
  ['password_changed', 'password that approved', changePassword],
  ['user_reset', 'the user was reset', async ({ admin }) => void (await reset(admin, 'Bob'))],
]

test.each(endings)(
  '%s: the program that a code approved is over at once, and is told why',
  async (reason, words, end) => {
    const scene = await newCodePerson()
    const program = await scene.edge.program()
    const tokens = await newCodeLogin(scene.visitor, program, scene.code())
    const acting = { program, token: tokens.access_token }
    expect((await call(acting, 'GET', '/v1/me')).status).toBe(200)
    await end(scene)
    expect((await call(acting, 'GET', '/v1/me')).status).toBe(401)
    const refused = await program.refresh(tokens.refresh_token)
    expect(refused).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    expect(refused.json.error_description).toContain(words)
    const ended = scene.edge.rows('select end_reason from client_sessions where credential_id is null')
    expect(ended).toEqual([{ end_reason: reason }])
  },
)

test.each(endings)(
  '%s: a code that was approved before and not yet exchanged opens nothing',
  async (_reason, _words, end) => {
    const scene = await newCodePerson()
    const { edge, visitor, code } = scene
    const program = await edge.program()
    const asked = askOf(program.key)
    const body = await codeBody(visitor, asked.parameters, { code: code() })
    const { location } = (await visitor.post('/v1/authorize/finish', body)).json
    edge.store.raw.exec('update codes set expires_at = expires_at + 600000')
    await end(scene)
    const form = program.codeForm(parametersAt(location).get('code') ?? '', asked)
    expect((await program.token(form)).json.error).toBe('refused')
    expect(edge.rows('select id from client_sessions where credential_id is null')).toEqual([])
  },
)

test('a headless login that was approved before and not yet fetched opens nothing', async () => {
  const scene = await newCodeDeviceFlow()
  const { visitor, code, codes, program } = scene
  const body = await deviceCodeBody(visitor, codes.user_code, { code: code() })
  expect((await visitor.post('/v1/device/finish', body)).status).toBe(200)
  await changePassword(scene)
  expect((await poll(program, codes)).status).not.toBe(200)
  expect(scene.edge.rows("select id from client_sessions where via = 'device_flow'")).toEqual([])
})
