/** Builds dist/: the pages' scripts and style with hashed names, then the edge, one bundle for every runtime. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import process from 'node:process'
import { build, type Metafile } from 'esbuild'

const root = import.meta.dirname
const target = join(root, 'dist')
const pages = [
  'sign-in',
  'first-administrator',
  'recover',
  'invite',
  'account',
  'authorize',
  'approve',
  'device',
  'users',
]
/** Longer than an edge should run without its restart for the next version. */
const keepOldBuilds = 30 * 24 * 3_600_000

async function buildAssets(out: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [...pages.map((page) => `web/${page}.ts`), 'web/style.css', 'web/mark.svg'],
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: 'shared-[hash]',
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    loader: { '.svg': 'copy' },
    metafile: true,
  })
  return metafile
}

/** What a page calls `sign-in.js` is `sign-in-AB12CD34.js` here. */
function assetNames(metafile: Metafile): Record<string, string> {
  const entries = Object.entries(metafile.outputs).filter(
    ([, output]) => output.entryPoint ?? Object.keys(output.inputs)[0]?.endsWith('.svg'),
  )
  return Object.fromEntries(
    entries.map(([path]) => {
      const name = basename(path)
      return [name.replace(/-[A-Z0-9]{8}(\.\w+)$/, '$1'), name]
    }),
  )
}

/**
 * Entries `index` for Workers and `serve` for the others, over shared chunks. Neutral: nothing of Node gets in, and the
 * condition `workerd` makes the libraries show their web-standard side.
 */
async function buildEdge(out: string, names: Record<string, string>): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: ['worker/index.ts', 'worker/serve.ts'],
    outdir: join(out, 'edge'),
    chunkNames: 'chunks/[name]-[hash]',
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'import'],
    external: ['node:*'],
    target: 'es2023',
    define: { ASSET_NAMES: JSON.stringify(names) },
    legalComments: 'none',
    metafile: true,
  })
  return metafile
}

/**
 * Each file is put in its place by one rename, and files of older builds stay for a month: an edge that runs from dist/ while
 * another start builds it anew still finds what it loads late. `--clean` removes them, for a deployment that uploads all.
 */
function install(from: string, keepFor: number): void {
  const fresh = new Set<string>()
  for (const path of filesIn(from)) {
    const place = join(target, relative(from, path))
    mkdirSync(dirname(place), { recursive: true })
    renameSync(path, place)
    fresh.add(place)
  }
  for (const path of filesIn(target)) {
    if (!fresh.has(path) && Date.now() - statSync(path).mtimeMs >= keepFor) rmSync(path, { force: true })
  }
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

mkdirSync(target, { recursive: true })
const draft = mkdtempSync(join(root, '.build-'))
try {
  const assets = await buildAssets(draft)
  const edge = await buildEdge(draft, assetNames(assets))
  writeFileSync(join(draft, 'meta.json'), JSON.stringify({ draft: relative(root, draft), assets, edge }))
  mkdirSync(join(draft, 'migrations'))
  const migrations = join(root, 'storage', 'migrations')
  for (const name of readdirSync(migrations).filter((file) => file.endsWith('.sql')))
    copyFileSync(join(migrations, name), join(draft, 'migrations', name))
  install(draft, process.argv.includes('--clean') ? 0 : keepOldBuilds)
} finally {
  rmSync(draft, { recursive: true, force: true })
}
