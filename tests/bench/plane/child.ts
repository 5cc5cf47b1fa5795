/** Backend and load run beside this process, which waits while they work: what it did would be missing to the one measured. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Failed } from './parent.ts'

export class Child<Asked extends object, Answer> {
  readonly #child: ChildProcess
  readonly #name: string

  constructor(name: 'backend' | 'load-process') {
    this.#name = name
    this.#child = fork(join(import.meta.dirname, `${name}.ts`), { stdio: ['ignore', 2, 2, 'ipc'] })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  ask(asked: Asked): Promise<Answer> {
    const answer = this.next()
    this.#child.send(asked)
    return answer
  }

  /** What it says next. @throws Error where it ends instead */
  next(): Promise<Answer> {
    return new Promise((done, fail) => {
      const ended = (why = '') => fail(new Error(`the ${this.#name} has ended${why}`))
      const gone = () => ended()
      this.#child.once('exit', gone)
      this.#child.once('message', (answer: Answer | Failed) => {
        this.#child.off('exit', gone)
        if (typeof answer === 'object' && answer !== null && 'failed' in answer) ended(`: ${answer.failed}`)
        else done(answer)
      })
    })
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return done()
      this.#child.once('exit', () => done()).kill()
    })
  }
}
