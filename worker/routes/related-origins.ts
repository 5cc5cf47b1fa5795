import { operations } from '../../core/api/operations.ts'
import type { App, Edge } from '../edge.ts'
import { route } from '../route.ts'

/**
 * Browsers ask for this at the relying party's own name, which may be one of before: so it is answered whatever the host is. It
 * lets nobody in here, where only the public origin counts.
 */
export function relatedOriginRoutes(app: App, edge: Edge): void {
  route(app, operations.relatedOrigins, async (c) => {
    await edge.ready()
    const { relatedOrigins } = await edge.ports.preferences.current()
    const origins = new Set([edge.site.origin, ...relatedOrigins])
    return c.json({ origins: [...origins].filter((origin) => origin.startsWith('https:')) })
  })
}
