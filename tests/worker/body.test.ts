import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { list, object, optional, type Shape, text, whole } from '../../core/api/shape.ts'
import { assertion, registration, vouchKey } from '../../core/api/webauthn.ts'
import type { Json } from '../../core/intent.ts'
import { Refusal } from '../../core/refusal.ts'
import { readJson } from '../../worker/body.ts'

const limit = 256 * 1024
const app = new Hono()
  .post('/', async (c) => c.json(await readJson(c)))
  .post('/unwritten', async (c) => c.text(typeof (await readJson(c))))
  .onError((error, c) => c.text(error instanceof Refusal ? error.code : `bug: ${error.message}`, 400))

const json = { 'content-type': 'application/json' }

async function read(body: BodyInit | undefined, headers: Record<string, string> = json) {
  const response = await app.request('/', { method: 'POST', headers, ...(body !== undefined && { body }) })
  return response.text()
}

describe('readJson', () => {
  test.each([
    ['{"a":[1,null,"ü"]}', '{"a":[1,null,"ü"]}'],
    [' 1 ', '1'],
    ['null', 'null'],
    [`"${'x'.repeat(limit - 2)}"`, `"${'x'.repeat(limit - 2)}"`],
  ])('reads %.20s', async (body, expected) => {
    expect(await read(body)).toBe(expected)
  })

  test.each(['application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application/json ;x'])(
    'takes %s',
    async (type) => {
      expect(await read('1', { 'content-type': type })).toBe('1')
    },
  )

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json-patch+json',
    'application/json,text/plain',
    'text/plain; application/json',
    'x application/json',
    '',
  ])('refuses the media type %j: a form of another site could send it', async (type) => {
    expect(await read('1', { 'content-type': type })).toBe('wrong_media_type')
  })

  test.each<[string, BodyInit | undefined]>([
    ['nothing', undefined],
    ['an empty body', ''],
    ['half an object', '{"a":'],
    ['two values', '1 2'],
    ['a comment', '/**/1'],
    ['NaN', 'NaN'],
    ['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['a byte order mark', '\ufeff1'],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x31, 0])],
    ['a bracket left open 200,000 times', '['.repeat(200_000)],
    ['an object left open 40,000 times', '{"a":'.repeat(40_000)],
  ])('refuses %s', async (_what, body) => {
    expect(await read(body)).toBe('bad_request')
  })

  test('reads a list that is 100,000 deep without going as deep itself', async () => {
    const body = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const started = performance.now()
    expect(await (await app.request('/unwritten', { method: 'POST', headers: json, body })).text()).toBe('object')
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('refuses a byte more than 256 KiB', async () => {
    expect(await read(`"${'x'.repeat(limit - 1)}"`)).toBe('body_too_large')
  })

  test.each(['262145', '1e9', '99999999999999999999'])('refuses an announced length of %s unread', async (length) => {
    const { body, taken } = endless()
    expect(await send(body, { ...json, 'content-length': length })).toBe('body_too_large')
    expect(taken()).toBeLessThanOrEqual(1)
  })

  test.each([undefined, '2', '0', '-1', 'x', ''])('counts what arrives where the length says %j', async (length) => {
    const { body, taken, cancelled } = endless()
    expect(await send(body, { ...json, ...(length !== undefined && { 'content-length': length }) })).toBe(
      'body_too_large',
    )
    // 16 KiB a part: the 17th is one too many, and the stream may hold one more ready.
    expect(taken()).toBeLessThanOrEqual(18)
    expect(cancelled()).toBe(true)
  })
})

/** A body that never ends, of 16 KiB a part. */
function endless() {
  let [taken, cancelled] = [0, false]
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      taken += 1
      controller.enqueue(new Uint8Array(16 * 1024).fill(0x20))
    },
    cancel: () => {
      cancelled = true
    },
  })
  return { body, taken: () => taken, cancelled: () => cancelled }
}

async function send(body: ReadableStream, headers: Record<string, string>) {
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
  return (await app.request(new Request('http://localhost/', init))).text()
}

const whyNot = (shape: Shape<unknown>, value: unknown): unknown => {
  try {
    shape(value as Json, 'body')
    return 'accepted'
  } catch (error) {
    if (error instanceof Refusal && error.code === 'bad_request') return error.detail['why']
    throw error
  }
}

describe('a shape', () => {
  test('text is a string of so many characters at most', () => {
    expect(text(3)('abc', 'body')).toBe('abc')
    expect(text(0)('', 'body')).toBe('')
    for (const other of ['abcd', 1, true, null, undefined, ['a'], { length: 1 }])
      expect(whyNot(text(3), other)).toBe('body: text of at most 3 characters')
  })

  test('whole is a number without a fraction that JavaScript can hold', () => {
    for (const good of [0, -1, Number.MAX_SAFE_INTEGER]) expect(whole(good, 'body')).toBe(good)
    for (const other of [0.5, 2 ** 53, 1e300, Number.NaN, '1', null, undefined, [1], {}])
      expect(whyNot(whole, other)).toBe('body: a whole number')
  })

  test('optional lets nothing and null be', () => {
    expect(optional(whole)(undefined, 'body')).toBeUndefined()
    expect(optional(whole)(null, 'body')).toBeUndefined()
    expect(optional(whole)(1, 'body')).toBe(1)
    expect(whyNot(optional(whole), 'x')).toBe('body: a whole number')
  })

  test('list is an array of so many at most, each of the shape', () => {
    expect(list(whole, 2)([1, 2], 'body')).toEqual([1, 2])
    expect(whyNot(list(whole, 2), [1, 2, 3])).toBe('body: a list of at most 2')
    expect(whyNot(list(whole, 2), [1, 'x'])).toBe('body[1]: a whole number')
    for (const other of [{ length: 1, 0: 1 }, 'ab', null, undefined])
      expect(whyNot(list(whole, 2), other)).toBe('body: a list of at most 2')
  })

  test('object has the members that were asked for, and leaves the others out', () => {
    const shape = object({ a: whole, b: optional(text(3)) })
    expect(shape({ a: 1, b: 'x', c: 'y' }, 'body')).toEqual({ a: 1, b: 'x' })
    expect(whyNot(shape, {})).toBe('body.a: a whole number')
    expect(whyNot(object({ a: shape }), { a: { a: 'x' } })).toBe('body.a.a: a whole number')
    for (const other of [[], null, undefined, 'x', 1]) expect(whyNot(shape, other)).toBe('body: an object')
  })

  test('object reads no member that the object only inherits, and changes no prototype', () => {
    const members = { a: whole, constructor: optional(whole), toString: optional(whole) }
    const shape = object(members as unknown as { a: Shape<number> })
    const hostile = JSON.parse('{"__proto__":{"a":1,"polluted":1}}') as Json
    expect(whyNot(shape, hostile)).toBe('body.a: a whole number')
    const read = shape(JSON.parse('{"a":1,"__proto__":{"polluted":1}}') as Json, 'body')
    expect(Object.keys(read)).toEqual(['a', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    expect(
      whyNot(object({ a: optional(object({})) }), { a: JSON.parse('{"constructor":{"prototype":{"x":1}}}') }),
    ).toBe('accepted')
  })
})

describe('the shapes of WebAuthn', () => {
  const response = { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' }

  test('an assertion is what is signed and what selects the key, nothing else', () => {
    const given = { id: 'AA', rawId: 'BB', type: 'x', response: { ...response, userHandle: null, extra: 1 } }
    expect(assertion(given, 'body')).toEqual({ id: 'AA', response: { ...response, userHandle: undefined } })
    expect(whyNot(assertion, { id: 'A'.repeat(1365), response })).toMatch(/^body\.id/)
    expect(whyNot(assertion, { id: 'AA', response: { ...response, signature: 'A'.repeat(2049) } })).toMatch(/signature/)
    expect(whyNot(assertion, { id: 'AA', response: { ...response, authenticatorData: [1] } })).toMatch(
      /authenticatorData/,
    )
  })

  test('a registration has at most 16 transports', () => {
    const made = { clientDataJSON: 'AA', attestationObject: 'AA' }
    const given = { id: 'AA', response: { ...made, transports: ['usb'] } }
    expect(registration(given, 'body')).toEqual(given)
    const many = { id: 'AA', response: { ...made, transports: Array.from({ length: 17 }, () => 'usb') } }
    expect(whyNot(registration, many)).toBe('body.response.transports: a list of at most 16')
  })

  test('a vouch key is a public P-256 key', () => {
    expect(whyNot(vouchKey, { kty: 'EC' })).toBe('body: a public P-256 key as JWK')
  })
})
