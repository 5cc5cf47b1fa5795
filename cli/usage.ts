/** What a command line must say. */
import { Problem } from './problem.ts'

/** Of an option that belongs to a database. @throws Problem usage */
export function requireGiven(flag: string, text: string | undefined): string {
  if (text !== undefined && text !== '') return text
  throw new Problem('usage', `${flag} is not given`, '"sallyport db ls" shows what your roles allow')
}
