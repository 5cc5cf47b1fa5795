import type { AnyOperation } from '../core/api/operation.ts'
import type { App, EdgeContext } from './edge.ts'

/** Puts an operation of the table at its place. Every route besides pages and assets is made here. */
export function route(app: App, { method, path }: AnyOperation, handle: (c: EdgeContext) => Promise<Response>): void {
  app.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), handle)
}
