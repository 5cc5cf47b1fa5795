/** Where a document is read, and what is wrong there. All problems are told at once, each with its place. */

export type Path = readonly (string | number)[]

export interface Problem {
  readonly path: Path
  readonly message: string
}

/** Nobody reads more, and a document made to have millions would cost. */
const mostProblems = 100

/** Where a reader stands, and where it tells problems. */
export interface Place {
  readonly path: Path
  readonly problems: Problem[]
}

export const into = ({ path, problems }: Place, step: string | number): Place => ({ path: [...path, step], problems })

export const isFull = ({ problems }: Place): boolean => problems.length >= mostProblems

export function tell(place: Place, message: string): undefined {
  if (!isFull(place)) place.problems.push({ path: place.path, message })
}

const longestShown = 60
/** What would move a terminal's cursor, turn the direction of a line, or not be seen at all. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Foreign text, safe to print on one line of a terminal. */
export function printable(text: string, longest = longestShown): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return cut.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

export const quoted = (text: string): string => `\`${printable(text)}\``

/** Such as `spec.allow.db_users[2]`. */
export const showPath = (path: Path): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : showName(step, at === 0))).join('')

function showName(name: string, isFirst: boolean): string {
  if (!/^[\w*-]+$/.test(name)) return `["${printable(name)}"]`
  return isFirst ? printable(name) : `.${printable(name)}`
}

/** Such as `v5, v6 or v7`. */
export const anyOf = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ')

/** The word that was probably meant: letter case and separators do not count, and a longer word may have letters wrong. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > longestShown) return undefined
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(bare(word), bare(candidate)) }))
    .filter(({ candidate, distance }) => distance <= forgiven(candidate))
  return ranked.sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/** `v3` and `v5` are no misspellings of each other. */
const forgiven = ({ length }: string): number => (length > 4 ? 2 : length > 2 ? 1 : 0)

const bare = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Levenshtein's: how many letters to insert, remove or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
