/** Counts every test once and writes the counts as JSON where SALLYPORT_TEST_REPORT says: tests/run.ts reads them. */
import { writeFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { firstLine, type Report } from './report.ts'

type Errors = ReadonlyArray<{ message: string }>

export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: Errors): void {
    const path = process.env['SALLYPORT_TEST_REPORT']
    if (path) writeFileSync(path, JSON.stringify(report(modules, unhandled)))
  }
}

function report(modules: readonly TestModule[], unhandled: Errors): Report {
  const counted: Report = {
    passed: 0,
    failed: [],
    skipped: [],
    errors: unhandled.map(({ message }) => firstLine(message)),
  }
  for (const module of modules) countModule(counted, module)
  return counted
}

function countModule(counted: Report, module: TestModule): void {
  const name = [module.project.name, module.relativeModuleId].filter(Boolean).join(': ')
  const before = counted.failed.length
  fail(counted, name, module.errors())
  for (const suite of module.children.allSuites()) fail(counted, `${name} > ${suite.fullName}`, suite.errors())
  for (const test of module.children.allTests()) countTest(counted, `${name} > ${test.fullName}`, test)
  const state = module.state()
  const unfinished = state !== 'passed' && state !== 'skipped'
  if (unfinished && counted.failed.length === before) counted.failed.push(`${name}: ${state}`)
}

function fail(counted: Report, name: string, errors: Errors): void {
  if (errors.length > 0) counted.failed.push(`${name}: ${firstLine(errors[0]?.message ?? '')}`)
}

function countTest(counted: Report, name: string, test: TestCase): void {
  const result = test.result()
  if (result.state === 'passed') counted.passed++
  else if (result.state === 'skipped') counted.skipped.push({ test: name, reason: result.note ?? 'no reason given' })
  else counted.failed.push(`${name}: ${firstLine(result.errors?.[0]?.message ?? 'never finished')}`)
}
