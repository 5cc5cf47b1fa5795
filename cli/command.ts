/** What a verb is: its words stand in the table of main.ts, the rest in one file under commands/. */
import type { ParseArgsOptionsConfig, parseArgs } from 'node:util'
import type { Exit } from './problem.ts'

/** Understood by every verb. */
export const commonOptions = {
  profile: { type: 'string' },
  debug: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig

/** For verbs that list or show something. */
export const formatOption = { format: { type: 'string' } } as const satisfies ParseArgsOptionsConfig

export type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O & typeof commonOptions }>
>['values']

export interface Command<O extends ParseArgsOptionsConfig = ParseArgsOptionsConfig> {
  /** What follows "Cannot" when it fails. */
  readonly doing: string
  /** Usage, what it does, its options, examples. main.ts adds the common options and the exit codes. */
  readonly help: string
  readonly options: O
  /** How many arguments it takes. */
  readonly takes: readonly [least: number, most: number]
  /** What follows `--` is for another program. */
  readonly passesOn?: true
  /** A number is the exit code of another program that was run. */
  run(values: Values<O>, given: readonly string[], passedOn: readonly string[]): Promise<Exit | number>
}

/** Lets TypeScript infer the options, so that `values` is typed. */
export const command = <const O extends ParseArgsOptionsConfig>(definition: Command<O>): Command<O> => definition
