/** What a test run amounted to: pure, so that no crash can look like success unseen. */
import { stripVTControlCharacters } from 'node:util'

export type Skip = { test: string; reason: string }
/** What the counting reporter writes. `failed` and `errors` are one line each. */
export type Report = { passed: number; failed: string[]; skipped: Skip[]; errors: string[] }
export type Ending = { code: number | null; signal: NodeJS.Signals | null }
export type Outcome = { passed: number; failed: number; skipped: number; ok: boolean; problems: string[] }

export function firstLine(text: string): string {
  return stripVTControlCharacters(text).split('\n')[0] ?? ''
}

export function parseReport(text: string | undefined): Report | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Report
  } catch {
    return undefined
  }
}

/** Without a report, or when vitest fails for a reason that no test tells, the run itself counts as one failure. */
export function judge(report: Report | undefined, ending: Ending, known: readonly Skip[] | undefined): Outcome {
  if (!report) return failedRun(`vitest wrote no report, and ${describeEnding(ending)}`)
  const failures = [...report.failed, ...report.errors]
  const crashed = failures.length === 0 && ending.code !== 0
  const ran = report.passed + failures.length > 0
  const problems = [
    ...(crashed ? [`no test failed, but vitest ${describeEnding(ending)}`] : []),
    ...(ran ? [] : ['no test ran']),
    ...(known ? unknownSkips(report.skipped, known).map(describeUnknown) : []),
  ]
  const failed = failures.length + (crashed ? 1 : 0)
  const ok = failed === 0 && problems.length === 0
  return { passed: report.passed, failed, skipped: report.skipped.length, ok, problems }
}

export function failedRun(problem: string): Outcome {
  return { passed: 0, failed: 1, skipped: 0, ok: false, problems: [problem] }
}

function describeEnding({ code, signal }: Ending): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`
}

/** A test that skips for another reason than the known one counts as unknown. */
export function unknownSkips(skipped: readonly Skip[], known: readonly Skip[]): Skip[] {
  return skipped.filter((skip) => !known.some(({ test, reason }) => test === skip.test && reason === skip.reason))
}

function describeUnknown({ test, reason }: Skip): string {
  return `skipped, and not in tests/known-skips.json: ${test} (${reason})`
}

/** One line a reason, the most frequent first. */
export function skipsByReason(skipped: readonly Skip[]): string[] {
  const reasons = Object.entries(Object.groupBy(skipped, ({ reason }) => reason))
  return reasons
    .toSorted(([, a], [, b]) => (b?.length ?? 0) - (a?.length ?? 0))
    .map(([reason, skips]) => `skipped ${skips?.length ?? 0}: ${reason}`)
}

export function lastLine({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** CI is set by hand too: `CI=false` and `CI=0` mean no. */
export function isCi(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value)
}
