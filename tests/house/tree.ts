/** The checkout as a map from path to source, so that the rules are pure. A folder is a path that ends in a slash. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Tree = Record<string, string>

const unread = new Set(['node_modules', 'dist', '.git', '.wrangler', '.sallyport', '.artifacts'])
const read = /\.(ts|sql)$|^ARCHITECTURE\.md$/

export function loadTree(root: string): Tree {
  return Object.fromEntries(entries(root, ''))
}

function entries(root: string, folder: string): [string, string][] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry): [string, string][] => {
    const path = folder + entry.name
    if (unread.has(entry.name)) return []
    if (entry.isDirectory()) return [[`${path}/`, ''], ...entries(root, `${path}/`)]
    return [[path, read.test(path) ? readFileSync(join(root, path), 'utf8') : '']]
  })
}
