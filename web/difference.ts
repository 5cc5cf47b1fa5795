/**
 * What a change makes different: it comes behind the address's #, which no server sees, and is shown only if it is what the ticket names
 * by its hash.
 */
import { base64url, fromBase64url, textOf, utf8 } from '../core/lib/bytes.ts'
import { inflate } from '../core/lib/deflate.ts'
import { sha256 } from '../core/lib/hash.ts'
import { EdgeProblem } from './edge.ts'
import { part } from './page.ts'

/** Four times what the largest request could make of it. */
const longest = 4 * 1024 * 1024

/** @throws EdgeProblem unless the text is the one that is to be approved */
export async function showDifference(hash: string): Promise<void> {
  const text = await textBehind(location.hash)
  if (text === undefined || base64url(sha256(utf8(text))) !== hash) {
    part('difference-count', HTMLElement).textContent = 'What changes cannot be shown.'
    throw new EdgeProblem(
      'changed',
      'This link is not whole, or was altered: nothing can be approved. Start again in the program.',
    )
  }
  const lines = text.split('\n').map(itemOf)
  const count = (kind: string) => lines.filter((line) => line.className === kind).length
  part('difference-count', HTMLElement).textContent =
    `${inWords(count('added'), 'added')}, ${inWords(count('removed'), 'removed')}.`
  const region = part('difference', HTMLElement)
  region.querySelector('ol')?.replaceChildren(...lines)
  region.hidden = false
}

const inWords = (count: number, what: string): string => `${count} ${count === 1 ? 'line' : 'lines'} ${what}`

async function textBehind(fragment: string): Promise<string | undefined> {
  const packed = fromBase64url(/^#changes=([\w-]+)$/.exec(fragment)?.[1] ?? '')
  const bytes = packed && packed.length > 0 ? await inflate(packed, longest) : undefined
  return bytes && textOf(bytes)
}

const kinds: Readonly<Record<string, readonly [name: string, spoken: string]>> = {
  '+': ['added', 'added: '],
  '-': ['removed', 'removed: '],
  '@': ['title', ''],
}

/** The sign is for eyes, the word for ears: neither has to know a colour. */
function itemOf(line: string): HTMLLIElement {
  const [kind, spoken] = kinds[line.charAt(0)] ?? ['same', '']
  const item = document.createElement('li')
  item.className = kind
  if (kind !== 'title') item.append(element('span', 'mark', line.charAt(0)))
  if (spoken !== '') item.append(element('span', 'spoken', spoken))
  item.append(kind === 'title' ? element('strong', '', line.slice(2)) : element('code', 'text', line.slice(2)))
  return item
}

function element(tag: string, className: string, text: string): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  if (className === 'mark') made.setAttribute('aria-hidden', 'true')
  return made
}
