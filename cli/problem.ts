/** Why a command ends without having done its work. The exit codes are part of the interface: `sallyport --help` lists them. */
export const exits = { ok: 0, failed: 1, usage: 2, refused: 3, signIn: 4, unreachable: 5, interrupted: 130 } as const
export type Exit = keyof typeof exits

/** `message` completes "Cannot <do>: ", `hint` says what to do. Both may hold foreign text: term.ts cleans it. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly exit: Exit
  readonly hint: string

  constructor(exit: Exit, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
    this.hint = hint
  }
}

/** Ctrl-C while something was waited for. `message` says what that leaves behind. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}
