/** The operations as OpenAPI 3.1. */
import type { Json } from '../intent.ts'
import type { Site } from '../model.ts'
import type { AnyOperation } from './operation.ts'
import type { JsonSchema } from './shape.ts'

const version = '0.1.0'

const json = (schema: JsonSchema): Json => ({ 'application/json': { schema } })
const problem: JsonSchema = {
  type: 'object',
  properties: {
    error: { type: 'string', description: 'One word for programs.' },
    message: { type: 'string', description: 'What to do, for people.' },
    error_description: { type: 'string', description: 'The same under the name that OAuth gives it.' },
    request_id: { type: 'string', description: 'With this the operator finds it in log and audit.' },
  },
  required: ['error', 'message', 'request_id'],
}

export function openApi({ origin, cluster }: Site, operations: Readonly<Record<string, AnyOperation>>): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const [id, operation] of Object.entries(operations)) {
    const methods = paths[operation.path] ?? {}
    methods[operation.method.toLowerCase()] = describe(id, operation)
    paths[operation.path] = methods
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `Sallyport, cluster ${cluster}`,
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    paths,
    components: {
      schemas: { Problem: problem },
      securitySchemes: {
        dpop: { type: 'http', scheme: 'DPoP', description: 'An access token with a proof of its key (RFC 9449).' },
        proxy: {
          type: 'apiKey',
          in: 'header',
          name: 'Sallyport-Proxy',
          description: 'A proof by a registered proxy’s key for this request and its body.',
        },
        page: { type: 'apiKey', in: 'cookie', name: '__Host-sallyport', description: 'A page of this origin.' },
      },
    },
  }
}

function describe(id: string, operation: AnyOperation): Json {
  const { summary, auth, needs, body, form, answer } = operation
  const content = answer ? { content: json(answer.schema) } : {}
  const success = answer
    ? { 200: { description: 'Done.', ...content } }
    : { 200: { description: 'A page for people.' } }
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
  return {
    operationId: id,
    summary,
    ...(needs && { description: needsInWords(needs) }),
    ...(auth !== 'none' && { security: [{ [auth]: [] }] }),
    parameters: parametersOf(operation),
    ...(body && { requestBody: { required: true, content: { [type]: { schema: body.schema } } } }),
    responses: {
      ...success,
      default: { description: 'Refused.', content: json({ $ref: '#/components/schemas/Problem' }) },
    },
  }
}

function needsInWords({ role, presence }: NonNullable<AnyOperation['needs']>): string {
  const words = [
    role && `The role ${role}.`,
    presence === 'tap' && 'A tap that approves exactly this request, in the header Sallyport-Tap.',
    presence === 'tap-or-recent' &&
      'A tap that approves exactly this request, in the header Sallyport-Tap; where admin_action_mfa is off, a login at most five minutes old (RFC 9470) will do.',
    'Not with a headless login (RFC 8628).',
  ]
  return words.filter((sentence) => typeof sentence === 'string').join(' ')
}

function parametersOf({ path, query, needs }: AnyOperation): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const members = (query?.schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>
  const wanted = (query?.schema['required'] ?? []) as readonly string[]
  const inQuery = Object.entries(members).map(([name, schema]) => ({
    name,
    in: 'query',
    required: wanted.includes(name),
    schema,
  }))
  const required = needs?.presence === 'tap'
  const tap = { name: 'Sallyport-Tap', in: 'header', required, schema: { type: 'string' } }
  return [...inPath, ...inQuery, ...(needs?.presence === undefined ? [] : [tap])]
}
