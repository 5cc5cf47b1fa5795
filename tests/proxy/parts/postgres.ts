/** A certificate of `db login`, and rows that a client must get whole. */
import { expect } from 'vitest'
import type { World } from './world.ts'

/** 340 kB in one row. */
const many = 60_000
export const numbersAsked = `select string_agg(n::text, ',' order by n) as numbers from generate_series(1, ${many}) n`
export const numbers = Array.from({ length: many }, (_, at) => at + 1).join(',')

/** What it prints: all that libpq needs. Where a role wants a tap, Lea gives it. */
export async function dbLogin({ people, lea }: World, ...more: readonly string[]): Promise<string> {
  const args = ['db', 'login', 'orders', '--db-user=reader', '--db-name=app', ...more]
  const { code, stdout, stderr } = await people.approved(lea, 'lea', args)
  expect(code, stderr).toBe(0)
  return stdout.trim()
}
