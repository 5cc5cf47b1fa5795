/** What is in the bundles, and what must never be. `node build.ts` made them; the runner does that first. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Metafile } from 'esbuild'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const { draft, assets, edge } = JSON.parse(readFileSync(join(root, 'dist', 'meta.json'), 'utf8')) as {
  draft: string
  assets: Metafile
  edge: Metafile
}
const workerEntry = `${draft}/edge/index.js`
const contentOf = (output: string) => readFileSync(join(root, output.replace(draft, 'dist')))

/** Every output that is loaded with this one; `late` also those behind import(). */
function reached(from: string, late: boolean, seen = new Set<string>()): Set<string> {
  if (seen.has(from)) return seen
  seen.add(from)
  for (const { path, kind, external } of edge.outputs[from]?.imports ?? []) {
    if (!external && (late || kind !== 'dynamic-import')) reached(path, late, seen)
  }
  return seen
}

const inputsOf = (outputs: Iterable<string>, of: Metafile) =>
  [...outputs].flatMap((output) => Object.keys(of.outputs[output]?.inputs ?? {}))

/** Called as a function: a method of that name, or its definition, is something else. */
const evaluates = /(?<![.\w$])eval\((?![\w$,]*\)\{)|new Function\(/

describe('the Workers bundle', () => {
  const all = [...reached(workerEntry, true)]

  // A fifth of it is RE2: what a role's expressions may cost.
  test('is at most 220 KB gzip', () => {
    const size = all.reduce((sum, output) => sum + gzipSync(contentOf(output), { level: 9 }).length, 0)
    expect(size).toBeGreaterThan(50_000)
    expect(size).toBeLessThanOrEqual(220 * 1024)
  })

  test('imports nothing of Node, so that it loads without compatibility flags', () => {
    for (const output of all) {
      expect(edge.outputs[output]?.imports.filter(({ external }) => external)).toEqual([])
      expect(contentOf(output).toString()).not.toMatch(/["'`]node:/)
    }
    expect(readFileSync(join(root, 'wrangler.toml'), 'utf8')).toMatch(/^compatibility_flags = \[\]$/m)
  })

  test('holds no second reader of WebAuthn: it is the tests’ judge alone', () => {
    expect(inputsOf(all, edge).filter((input) => input.includes('@simplewebauthn/server'))).toEqual([])
  })

  test('holds no evaluated text, no SQLite driver and no server of Node', () => {
    for (const output of all) expect(contentOf(output).toString()).not.toMatch(evaluates)
    const inputs = inputsOf(all, edge)
    expect(inputs.filter((input) => /storage\/sqlite\.ts|sqlite-proxy|node-server/.test(input))).toEqual([])
  })
})

describe('the edge on Node, Deno and Bun', () => {
  test('is the same chunks behind another entry', () => {
    const [worker, serve] = [reached(workerEntry, true), reached(`${draft}/edge/serve.js`, true)]
    worker.delete(workerEntry)
    expect([...worker].filter((chunk) => !serve.has(chunk))).toEqual([])
  })
})

describe('the pages’ scripts', () => {
  const scripts = Object.keys(assets.outputs).filter((output) => output.endsWith('.js'))

  test('are made of web/, what it may take of core, and four small libraries', () => {
    const allowed =
      /^web\/|^core\/(intent|vouch)\.ts$|^core\/lib\/|^node_modules\/(@noble\/hashes|@simplewebauthn\/browser|canonicalize|uqr)\//
    expect(inputsOf(scripts, assets).filter((input) => !allowed.test(input))).toEqual([])
  })

  test('are small, and build no page out of text', () => {
    for (const script of scripts) {
      const content = contentOf(script)
      expect(gzipSync(content, { level: 9 }).length).toBeLessThan(12 * 1024)
      expect(content.toString()).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(/)
    }
  })
})
