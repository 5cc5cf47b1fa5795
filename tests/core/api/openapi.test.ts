/** /openapi.json against the router, and against what OpenAPI 3.1 asks of a document. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { operations } from '../../../core/api/operations.ts'
import type { Json } from '../../../core/intent.ts'
import { newEdge } from '../../edge.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly schema: Json
}
interface Described {
  readonly operationId: string
  readonly summary: string
  readonly security?: readonly Record<string, readonly string[]>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Json }> }
  readonly responses: Record<string, { readonly description: string }>
}
interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Record<string, Record<string, Described>>
  readonly components: { readonly securitySchemes: Record<string, Json> }
}

const edge = await newEdge()
const { json, status, headers } = await edge.visitor().get('/openapi.json')
const document = json as Document
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
)
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`

/** Pages and assets are for people; all else is an operation. */
const isOperation = (path: string) => /^\/(v1|oauth|\.well-known)\/|^\/(openapi\.json|healthz|readyz)$/.test(path)
const routed = edge.app.routes.filter(({ method, path }) => method !== 'ALL' && isOperation(path))
const inOpenApi = (path: string) => path.replaceAll(/:(\w+)/g, '{$1}')

/** What a call without its credentials hears. */
const wordsWithout: Readonly<Record<string, string>> = {
  dpop: 'invalid_token',
  page: 'forbidden',
  proxy: 'proxy_unproven',
}

describe('/openapi.json and the router', () => {
  test('name the same operations', () => {
    const routes = new Set(routed.map(({ method, path }) => nameOf({ method, path: inOpenApi(path) })))
    expect([...routes].sort()).toEqual(described.map(nameOf).sort())
    expect(described).toHaveLength(Object.keys(operations).length)
  })

  test('have no second handler at one place: the later one would never be asked', () => {
    expect(new Set(routed.map(nameOf)).size).toBe(routed.length)
  })

  test.each(described.map((one) => [nameOf(one), one] as const))(
    '%s is answered by its own handler',
    async (_, one) => {
      const reply = await edge.visitor().request(one.method, one.path.replaceAll(/\{\w+\}/g, 'x'), undefined, {})
      expect(reply.json.error).not.toBe('not_found')
      expect(reply.status).not.toBe(404)
      expect(reply.status).toBeLessThan(500)
    },
  )

  test('say of each operation who may call it, as the router holds it', async () => {
    for (const one of described.filter(({ operation }) => operation.security)) {
      const reply = await edge.visitor().request(one.method, one.path.replaceAll(/\{\w+\}/g, 'x'), undefined, {})
      const [scheme] = Object.keys(one.operation.security?.[0] ?? {})
      expect(reply.json.error, nameOf(one)).toBe(wordsWithout[String(scheme)])
    }
  })
})

/** Every value of the document, with the members that lead to it. */
function* valuesIn(value: Json, path: readonly string[] = []): Generator<[readonly string[], Json]> {
  yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) yield* valuesIn(member, [...path, name])
}

const at = (pointer: string): Json | undefined =>
  pointer
    .replace(/^#\//, '')
    .split('/')
    .reduce<Json | undefined>((value, name) => (value as Record<string, Json> | undefined)?.[name], json as Json)

describe('/openapi.json as OpenAPI 3.1', () => {
  test('is JSON with the members that a document must have', () => {
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(document.openapi).toMatch(/^3\.1\.\d+$/)
    expect(document.info).toMatchObject({ title: expect.stringContaining('test'), version: expect.any(String) })
    expect(document.servers).toEqual([{ url: edge.site.origin }])
  })

  test('has the version of the package', () => {
    const file = join(import.meta.dirname, '..', '..', '..', 'package.json')
    expect(document.info.version).toBe((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version)
  })

  test('resolves each $ref, and each security scheme', () => {
    const refs = [...valuesIn(json as Json)].filter(([path]) => path.at(-1) === '$ref')
    expect(refs.length).toBeGreaterThan(0)
    for (const [path, ref] of refs) expect(at(String(ref)), path.join('.')).toBeDefined()
    for (const { operation } of described)
      for (const scheme of operation.security?.flatMap((one) => Object.keys(one)) ?? [])
        expect(document.components.securitySchemes).toHaveProperty(scheme)
  })

  test('names each operation once, says what it is for, and what it answers', () => {
    const ids = described.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operation, path } of described) {
      expect(operation.summary, path).not.toBe('')
      expect(Object.keys(operation.responses), path).toEqual(['200', 'default'])
      for (const response of Object.values(operation.responses)) expect(response.description).not.toBe('')
    }
  })

  test('has exactly the parameters of the path, and each parameter once', () => {
    for (const { operation, path } of described) {
      const inPath = operation.parameters.filter((one) => one.in === 'path')
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
      expect(inPath.every(({ required }) => required)).toBe(true)
      const keys = operation.parameters.map((one) => `${one.in} ${one.name}`)
      expect(new Set(keys).size, path).toBe(keys.length)
      for (const one of operation.parameters) expect(one.schema, `${path} ${one.name}`).toBeTypeOf('object')
    }
  })

  test('gives no body to GET and DELETE, and one media type to each other body', () => {
    for (const { method, path, operation } of described) {
      const types = Object.keys(operation.requestBody?.content ?? {})
      const wanted = path.startsWith('/oauth/') ? 'application/x-www-form-urlencoded' : 'application/json'
      expect(types, nameOf({ method, path })).toEqual(method === 'POST' ? [wanted] : [])
    }
  })

  test('asks for the header of a tap where a tap is wanted', () => {
    const tapped = described.filter(({ operation }) =>
      operation.parameters.some(({ name }) => name === 'Sallyport-Tap'),
    )
    const always = tapped.filter(
      ({ operation }) => operation.parameters.find(({ name }) => name === 'Sallyport-Tap')?.required,
    )
    expect(always.map(nameOf).sort()).toEqual([
      'POST /v1/me/factors/remove',
      'POST /v1/users',
      'POST /v1/users/reset',
      'POST /v1/users/{name}/passkeys/entrust',
    ])
    expect(
      tapped
        .filter((one) => !always.includes(one))
        .map(nameOf)
        .sort(),
    ).toEqual([
      'DELETE /v1/documents/{kind}/{name}',
      'DELETE /v1/logins/{id}',
      'DELETE /v1/sessions/{id}',
      'DELETE /v1/users/{name}',
      'POST /v1/documents',
      'POST /v1/keys/rotate',
    ])
  })
})
