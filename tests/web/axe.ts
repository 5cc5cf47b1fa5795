/** axe-core over a page as it stands: the rules of WCAG 2.2, levels A and AA, and those that axe calls best practice. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Person } from './browser.ts'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const run = `axe.run(document, ${JSON.stringify({ runOnly, resultTypes: ['violations'] })}).then((found) => found.violations)`

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary: string }[]
}

/** What it finds, one line each: none of any impact is fine. */
export async function accessibilityProblems(person: Pick<Person, 'inspect'>): Promise<string[]> {
  // Half a megabyte, so once a page: to look is cheap then.
  if (!(await person.inspect('"axe" in globalThis'))) await person.inspect(`{ ${source} }`)
  const found = (await person.inspect(run)) as readonly Violation[]
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${impact}) ${target.join(' ')}: ${failureSummary}`),
  )
}
