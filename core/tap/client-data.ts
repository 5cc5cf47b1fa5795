import { type Bytes, base64url, textOf } from '../lib/bytes.ts'

/** What the browser says that it signed for (WebAuthn Level 3 section 5.8.1). */
export interface ExpectedClientData {
  readonly type: 'webauthn.get' | 'webauthn.create'
  readonly challenge: Bytes
  readonly origin: string
}

/**
 * Why this client data does not fit, or undefined. Section 7.1 steps 7-11, section 7.2 steps 10-14. The origin is compared
 * whole: "rp_id or below" would let any sibling host collect taps. A page in a frame of another site is refused.
 */
export function mismatchOf(clientDataJson: Bytes, expected: ExpectedClientData): string | undefined {
  const data = parseObject(clientDataJson)
  if (data === undefined) return 'client data: no JSON object'
  if (data['type'] !== expected.type) return 'client data: type'
  if (data['challenge'] !== base64url(expected.challenge)) return 'client data: challenge'
  if (data['origin'] !== expected.origin) return 'client data: origin'
  if (data['crossOrigin'] !== undefined && data['crossOrigin'] !== false) return 'client data: crossOrigin'
  if (data['topOrigin'] !== undefined) return 'client data: topOrigin'
  return undefined
}

function parseObject(bytes: Bytes): Readonly<Record<string, unknown>> | undefined {
  const text = textOf(bytes)
  if (text === undefined) return undefined
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
