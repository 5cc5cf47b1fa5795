/** From the words of the command line to a command, its help and its exit code. */
import { readFileSync } from 'node:fs'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearest } from '../core/access/place.ts'
import { type Command, commonOptions } from './command.ts'
import { type Exit, exits, Interrupted, Problem } from './problem.ts'
import { debug, printHelp, say, sayProblem, startDebugging, toleratePipes } from './term.ts'

export type Verb = readonly [summary: string, load: () => Promise<{ default: Command }>]
/** Words to commands. */
export type Verbs = Readonly<Record<string, Verb>>

const common = `
Common options:
  --profile=NAME  the profile to use; SALLYPORT_PROFILE says the same
  --debug         say on stderr what is asked of the edge, without secrets
  -h, --help      this text

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 sign in again,
            5 the proxy cannot be reached or is not trusted, 130 stopped with Ctrl-C
`

/** All verbs, or those that begin with `words`. */
function overview(verbs: Verbs, words: readonly string[]): string {
  const begin = words.map((word) => `${word} `).join('')
  const found = Object.entries(verbs).filter(([name]) => name.startsWith(begin))
  const width = Math.max(...found.map(([name]) => name.length)) + 3
  const lines = found.map(([name, [summary]]) => `  ${name.padEnd(width)}${summary}\n`).join('')
  const about = begin === '' ? '\nAccess to what your cluster guards, after a proof of who you are.\n' : ''
  return `Usage: sallyport ${begin}COMMAND [options]\n${about}\nCommands:\n${lines}\n"sallyport COMMAND --help" says more.\n${common}`
}

/** The words of the command line that are no options, and where they stand. */
function wordsOf(args: readonly string[]): { word: string; at: number }[] {
  const words: { word: string; at: number }[] = []
  for (let at = 0; at < args.length && args[at] !== '--'; at++) {
    const word = args[at] ?? ''
    if (word === '--profile') at++
    else if (!word.startsWith('-')) words.push({ word, at })
  }
  return words
}

const groupExists = (verbs: Verbs, words: readonly string[]) =>
  words.length === 0 || Object.keys(verbs).some((name) => name.startsWith(`${words.join(' ')} `))

interface Found {
  readonly verb: Verb
  readonly rest: string[]
}

/** The verb with the words that name it taken out, or the words of a group of verbs. @throws Problem usage */
function find(verbs: Verbs, args: readonly string[]): Found | readonly string[] {
  const words = wordsOf(args)
  for (let count = words.length; count > 0; count--) {
    const taken = words.slice(0, count)
    const verb = verbNamed(verbs, taken.map(({ word }) => word).join(' '))
    if (verb) return { verb, rest: args.filter((_, at) => !taken.some((one) => one.at === at)) }
  }
  const all = words.map(({ word }) => word)
  const known = all.findIndex((_, i) => !groupExists(verbs, all.slice(0, i + 1)))
  if (known < 0) return all
  throw unknownVerb(verbs, all.slice(0, known), all[known] ?? '')
}

const verbNamed = (verbs: Verbs, name: string) => (Object.hasOwn(verbs, name) ? verbs[name] : undefined)

function unknownVerb(verbs: Verbs, group: readonly string[], word: string): Problem {
  const begin = group.map((one) => `${one} `).join('')
  const names = Object.keys(verbs).flatMap((name) => (name.startsWith(begin) ? [name.slice(begin.length)] : []))
  const meant = nearest(word, [...new Set(names.map((name) => name.split(' ')[0] ?? ''))])
  const hint =
    meant === undefined ? `sallyport ${begin}--help lists the commands` : `did you mean "sallyport ${begin}${meant}"?`
  return new Problem('usage', `there is no command "sallyport ${begin}${word}"`, hint)
}

/** @throws Problem usage */
function parse(command: Command, args: string[]) {
  const options: ParseArgsOptionsConfig = { ...command.options, ...commonOptions }
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [least, most] = command.takes
    if (values['help'] === true || (positionals.length >= least && positionals.length <= most))
      return { values, positionals }
    throw new Problem(
      'usage',
      positionals.length < least ? 'something is missing' : 'too much is given',
      usageOf(command),
    )
  } catch (error) {
    if (error instanceof Problem) throw error
    throw optionProblem(error as Error & { code?: string }, Object.keys(options), command)
  }
}

/** The first line of its help. */
const usageOf = ({ help }: Command) => help.slice('Usage: '.length, help.indexOf('\n'))

function optionProblem(error: Error & { code?: string }, names: readonly string[], command: Command): Problem {
  const unknown = /^Unknown option '(-{1,2}[^']*)'/.exec(error.message)?.[1]
  if (unknown === undefined)
    return new Problem('usage', error.message.split('. ')[0] ?? error.message, usageOf(command))
  const meant = nearest(unknown.replace(/^-+/, ''), names)
  return new Problem(
    'usage',
    `there is no option ${unknown}`,
    meant === undefined ? usageOf(command) : `did you mean --${meant}?`,
  )
}

const isVersion = (args: readonly string[]) => args[0] === '--version'
const asksForHelp = (args: readonly string[]) => args.includes('--help') || args.includes('-h')

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return `sallyport ${(JSON.parse(text) as { version: string }).version}\n`
}

/** What it could not do, for the message. */
let doing = 'run this command'

async function run(verbs: Verbs, given: readonly string[]): Promise<Exit | number> {
  if (isVersion(given)) return shown(version())
  // `sallyport help login` is what many type first.
  const args = given[0] === 'help' ? [...given.slice(1), '--help'] : given
  const found = find(verbs, args)
  if ('verb' in found) return runVerb(found)
  if (asksForHelp(args)) return shown(overview(verbs, found))
  if (args.some((arg) => arg.startsWith('-')))
    throw new Problem('usage', 'no command is given', 'sallyport --help lists them')
  printHelp(overview(verbs, found), 'stderr')
  return 'usage'
}

function shown(text: string): Exit {
  printHelp(text, 'stdout')
  return 'ok'
}

async function runVerb({ verb: [, load], rest }: Found): Promise<Exit | number> {
  const command = (await load()).default
  doing = command.doing
  const end = command.passesOn && rest.includes('--') ? rest.indexOf('--') : rest.length
  const { values, positionals } = parse(command, rest.slice(0, end))
  if (values['help'] === true) return shown(command.help + common)
  if (values['debug'] === true) startDebugging()
  return command.run(values as Parameters<typeof command.run>[0], positionals, rest.slice(end + 1))
}

function failed(error: unknown): Exit {
  if (error instanceof Interrupted) {
    say(`sallyport: ${error.message}`)
    return 'interrupted'
  }
  if (error instanceof Problem) {
    sayProblem(doing, error)
    return error.exit
  }
  const { message, stack = '' } = error as Error
  sayProblem(
    doing,
    new Problem('failed', `of a mistake in sallyport itself (${message})`, 'please report it, with what --debug says'),
  )
  for (const line of stack.split('\n')) debug(line)
  return 'failed'
}

/** Never throws. The exit code of the process. */
export async function main(verbs: Verbs, args: readonly string[]): Promise<number> {
  toleratePipes()
  const end = await run(verbs, args).catch(failed)
  return typeof end === 'number' ? end : exits[end]
}
