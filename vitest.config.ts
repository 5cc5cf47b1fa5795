import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** What a test waits for may take long where other tests run beside it; what never comes fails all the same. */
const limits = { testTimeout: 60_000, hookTimeout: 120_000, expect: { poll: { timeout: 15_000 } } }
const inWorkerd = 'tests/**/*.workerd.test.ts'
/** In one file each: Node reads drizzle's package.json of 180 KB anew for each of its modules, a second for every file of tests. */
const ofDrizzle = ['drizzle-orm', 'drizzle-orm/batch', 'drizzle-orm/sqlite-core', 'drizzle-orm/sqlite-proxy']
const exclude = ['**/node_modules/**']

/** Two runtimes: everything runs in Node, what says so in its name runs in workerd, on a D1 and a KV of its own. */
export default defineConfig({
  test: {
    // One a core: much of a test is waiting for a server, a browser or a disk.
    maxWorkers: Math.max(1, availableParallelism()),
    projects: [
      {
        test: {
          ...{ name: 'node', include: ['tests/**/*.test.ts'], exclude: [...exclude, inWorkerd], ...limits },
          deps: { optimizer: { ssr: { enabled: true, include: ofDrizzle } } },
        },
      },
      {
        plugins: [
          cloudflareTest({
            // The deployed entry is a bundle; tests import the sources, so they name that one's source.
            main: './worker/index.ts',
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: { MIGRATIONS: await readD1Migrations(join(import.meta.dirname, 'storage', 'migrations')) },
            },
          }),
        ],
        // build.ts puts in the real names.
        define: { ASSET_NAMES: JSON.stringify({}) },
        test: { name: 'workerd', include: [inWorkerd], exclude, ...limits },
      },
    ],
  },
})
