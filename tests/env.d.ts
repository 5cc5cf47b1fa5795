/** What workerd's test runner gives to *.workerd.test.ts, as far as it is used: Cloudflare's own types stay out. */

declare module 'cloudflare:test' {
  type Migrations = import('cloudflare:workers').Migrations
  export function applyD1Migrations(db: import('cloudflare:workers').D1Binding, migrations: Migrations): Promise<void>
}

declare module 'cloudflare:workers' {
  /** As @cloudflare/vitest-plugin's readD1Migrations reads them. */
  export type Migrations = readonly { readonly name: string; readonly queries: readonly string[] }[]

  export interface D1Binding extends D1 {
    withSession(constraint: 'first-primary'): D1
    prepare(sql: string): ReturnType<D1['prepare']> & {
      all(): Promise<{ readonly results: readonly Readonly<Record<string, unknown>>[] }>
    }
  }
  type D1 = import('../storage/d1.ts').D1

  export const env: {
    readonly DB: D1Binding
    readonly KV: import('../storage/kv.ts').Kv
    readonly MIGRATIONS: Migrations
  }
}
