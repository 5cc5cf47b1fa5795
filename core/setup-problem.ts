/**
 * What stops an edge from starting and its operator can mend: what is the state, and what to do. Nothing was changed. The
 * message stands behind "Cannot start: ".
 */
export class SetupProblem extends Error {
  override readonly name = 'SetupProblem'
  readonly hint: string

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.hint = hint
  }
}
