/** What the log says of a session that did not open. */
import { Refusal } from '../core/refusal.ts'
import type { Log } from './log.ts'
import { DialFailure } from './upstream.ts'

export function refusalInLog(error: unknown, log: Log): { readonly code: string; readonly detail: string | undefined } {
  if (error instanceof DialFailure) return { code: error.code, detail: error.message }
  if (error instanceof Refusal) return { code: error.code, detail: JSON.stringify(error.detail) }
  // A mistake of ours.
  log({ level: 'error', message: 'the proxy has failed', detail: (error as Error).stack ?? String(error) })
  return { code: 'failed', detail: undefined }
}
