/** The counting behind `npm test`: no crash looks like success, no new skip goes unseen. */
import { describe, expect, test } from 'vitest'
import { failedRun, firstLine, isCi, judge, lastLine, parseReport, type Report, skipsByReason } from './report.ts'

const none: Report = { passed: 0, failed: [], skipped: [], errors: [] }
const good: Report = { ...none, passed: 3 }
const ended = (code: number | null, signal: NodeJS.Signals | null = null) => ({ code, signal })
const skip = { test: 'tests/a.test.ts > a', reason: 'no TPM' }

describe('judge', () => {
  test('passes a run in which every test passed', () => {
    expect(judge(good, ended(0), undefined)).toEqual({ passed: 3, failed: 0, skipped: 0, ok: true, problems: [] })
  })

  test.each([
    ['a failed test', { ...good, failed: ['a'] }, ended(1), 1],
    ['a failed test that vitest forgave', { ...good, failed: ['a'] }, ended(0), 1],
    ['an unhandled error', { ...good, errors: ['a', 'b'] }, ended(1), 2],
    ['an exit code that no test explains', good, ended(1), 1],
    ['a signal', good, ended(null, 'SIGSEGV'), 1],
    ['no report', undefined, ended(0), 1],
    ['no test', none, ended(0), 0],
    ['only skips', { ...none, skipped: [skip] }, ended(0), 0],
  ])('fails on %s', (_, report, ending, failed) => {
    expect(judge(report, ending, undefined)).toMatchObject({ ok: false, failed })
  })

  test('names the signal that ended vitest', () => {
    expect(judge(undefined, ended(null, 'SIGKILL'), []).problems).toEqual([
      'vitest wrote no report, and was ended by SIGKILL',
    ])
  })

  test('without CI lets any test skip', () => {
    expect(judge({ ...good, skipped: [skip] }, ended(0), undefined)).toMatchObject({ ok: true, skipped: 1 })
  })

  test('in CI lets a known test skip for its known reason only', () => {
    const report = { ...good, skipped: [skip] }
    expect(judge(report, ended(0), [skip]).ok).toBe(true)
    expect(judge(report, ended(0), [{ ...skip, reason: 'no chromium' }]).ok).toBe(false)
    expect(judge(report, ended(0), [])).toMatchObject({
      ok: false,
      problems: ['skipped, and not in tests/known-skips.json: tests/a.test.ts > a (no TPM)'],
    })
  })
})

describe('the last line', () => {
  test('counts what was judged', () => {
    expect(lastLine(judge({ ...good, failed: ['a'], skipped: [skip] }, ended(1), undefined))).toBe(
      '3 passed, 1 failed, 1 skipped',
    )
  })

  test('counts a run that never began as one failure', () => {
    expect(lastLine(failedRun('node build.ts failed'))).toBe('0 passed, 1 failed, 0 skipped')
  })
})

test('parseReport answers undefined for a file that is absent or cut short', () => {
  expect(parseReport(undefined)).toBeUndefined()
  expect(parseReport('{"passed": 1, "fai')).toBeUndefined()
  expect(parseReport(JSON.stringify(good))).toEqual(good)
})

test('skipsByReason has one line a reason, the most frequent first', () => {
  const other = { test: 'b', reason: 'no chromium' }
  expect(skipsByReason([skip, other, other])).toEqual(['skipped 2: no chromium', 'skipped 1: no TPM'])
})

test('firstLine drops colours and what follows', () => {
  expect(firstLine('\u001b[31mred\u001b[39m\nblue')).toBe('red')
})

test('isCi takes false and 0 for no', () => {
  expect([undefined, '', '0', 'false', 'true', '1'].map(isCi)).toEqual([false, false, false, false, true, true])
})
