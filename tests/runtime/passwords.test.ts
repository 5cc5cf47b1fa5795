import { beforeAll, describe, expect, test } from 'vitest'
import { missing, type Runtime, runScript } from './launch.ts'

interface Said {
  readonly made: string
  readonly isRight: readonly boolean[]
  readonly outcomes: readonly unknown[]
}
const password = 'three unrelated nouns: kettle, ferry, moss'
const say = (runtime: Runtime, ...hashes: string[]): Said =>
  JSON.parse(runScript(runtime, 'tests/runtime/password-script.ts', [password, ...hashes]))

/** A new process each time, of runtimes that a busy machine starts in seconds. */
const patience = 120_000

describe.each(['node', 'deno', 'bun'] as const)('passwords on %s', (runtime) => {
  const lacking = missing(runtime)
  let said: Said
  beforeAll(() => {
    if (lacking === undefined) said = say(runtime)
  }, patience)

  test('are hashed by what is best there, and verified', (context) => {
    if (lacking !== undefined) return context.skip(lacking)
    expect(said.made).toMatch(/^\$(argon2id\$v=19\$m=19456,t=2,p=1|scrypt\$ln=15,r=8,p=3)\$/)
    expect(said.isRight).toEqual([true, false])
  })

  test('that another runtime hashed are verified, or it says that it lacks the algorithm', {
    timeout: patience,
  }, (context) => {
    if (lacking !== undefined) return context.skip(lacking)
    const { outcomes } = say(runtime, ...foreign)
    const hasArgon2 = said.made.startsWith('$argon2id')
    expect(outcomes).toEqual([hasArgon2 ? true : 'password_unreadable', true, true])
  })
})

/** As Node, Deno and Workers hash it. */
const foreign = [
  '$argon2id$v=19$m=19456,t=2,p=1$edEb77BNxRf1L055C1ql8w$+yKuAig3Qrf8TF7bxotH5V1gaHjavE+rUrCDvRAm9dw',
  '$scrypt$ln=15,r=8,p=3$TdUrAlehW+zEDhiMRafUKw$D8dOBmEA2KnWnIICy+SqElG/gOScWCbmrc8D1MFfB8I',
  '$pbkdf2-sha256$i=100000$D89U+fig5cjU0U9R31kefQ$0Afh6uzyPmIHsLUDIbeM5rj3FueH2IGD9JwJBe242Qw',
]
