/** The databases that the roles of this user reach. */
import { nearest } from '../core/access/place.ts'
import type { AnswerOf } from '../core/api/operation.ts'
import { operations } from '../core/api/operations.ts'
import { call, type Session } from './api.ts'
import { Problem } from './problem.ts'

export type Resource = AnswerOf<typeof operations.resourcesList>['resources'][number]

export async function databasesOf(session: Session): Promise<Resource[]> {
  const { resources } = await call(session, operations.resourcesList, {})
  return resources.filter(({ kind }) => kind === 'db')
}

/** @throws Problem refused where there is none of that name, as far as this user may know */
export async function requireDatabase(session: Session, name: string): Promise<Resource> {
  const all = await databasesOf(session)
  const found = all.find((one) => one.name === name)
  if (found?.protocol === 'postgres') return found
  if (found)
    throw new Problem(
      'failed',
      `${name} speaks ${found.protocol ?? 'something else'}`,
      'use a sallyport of the version of the edge',
    )
  const meant = nearest(
    name,
    all.map((one) => one.name),
  )
  const hint = meant === undefined ? 'sallyport db ls shows those that you reach' : `did you mean ${meant}?`
  throw new Problem('refused', `no role of yours reaches a database ${name}`, hint)
}
