/** Are the migrations in step with storage/schema.ts? drizzle-kit is asked to write what is missing, into a copy. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Quiet } from './quiet.ts'

const inStep = 'No schema changes, nothing to migrate'

/** `generate` runs drizzle-kit in `top` with these arguments. Its exit code is 0 even when it asks or fails. */
export function migrationsInStep(top: string, generate: (args: string[]) => Quiet): Quiet {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-migrations-'))
  try {
    const copy = join(folder, 'migrations')
    const original = join(top, 'storage/migrations')
    if (existsSync(original)) cpSync(original, copy, { recursive: true })
    const config = join(folder, 'drizzle.config.ts')
    writeFileSync(config, configFor(top, copy))
    const { output } = generate(['generate', `--config=${relative(top, config)}`])
    const hint = '\nstorage/schema.ts has changed and storage/migrations has not: npm run migrations\n'
    return output.includes(inStep) ? { ok: true, output } : { ok: false, output: output + hint }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// drizzle-kit takes `out` only relative to where it runs.
function configFor(top: string, copy: string): string {
  const original = JSON.stringify(join(top, 'drizzle.config.ts'))
  return `import config from ${original}\nexport default { ...config, out: ${JSON.stringify(relative(top, copy))} }\n`
}
