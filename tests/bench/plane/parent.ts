/** A child's side of child.ts. */
import process from 'node:process'

export interface Failed {
  readonly failed: string
}

export const tell = (answer: unknown): void => void process.send?.(answer)

/** Ends with whoever started this process, and tells him of what nobody else has caught. */
export function serveParent(): void {
  process.once('disconnect', () => process.exit())
  process.once('uncaughtException', ({ message }) => {
    const told: Failed = { failed: message }
    process.send?.(told, () => process.exit(1))
  })
}
