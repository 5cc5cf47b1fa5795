/** The contract of the ports, the same for node:sqlite and for D1: what each verb does, refuses, and lets happen once. */
import { describe, test } from 'vitest'
import { adding } from './contract/adding.ts'
import { administrators } from './contract/administrators.ts'
import { auditing } from './contract/auditing.ts'
import { calling } from './contract/calling.ts'
import { clusters } from './contract/clusters.ts'
import { codeApprovals } from './contract/code-approvals.ts'
import { codes } from './contract/codes.ts'
import { deviceCodes } from './contract/device-codes.ts'
import { deviceLogins } from './contract/device-logins.ts'
import { ending } from './contract/ending.ts'
import { factorChanges } from './contract/factor-changes.ts'
import { factorLogins } from './contract/factor-logins.ts'
import { factorPrograms } from './contract/factor-programs.ts'
import { idling } from './contract/idling.ts'
import { inviting } from './contract/inviting.ts'
import { kinds } from './contract/kinds.ts'
import { locking } from './contract/locking.ts'
import { logins } from './contract/logins.ts'
import { openSessions } from './contract/open-sessions.ts'
import { ownersEnds } from './contract/owners-ends.ts'
import { preferring } from './contract/preferring.ts'
import { programRaces } from './contract/program-races.ts'
import { races } from './contract/races.ts'
import { reading } from './contract/reading.ts'
import { recovering } from './contract/recovering.ts'
import { refreshing } from './contract/refreshing.ts'
import { removing } from './contract/removing.ts'
import { resetting } from './contract/resetting.ts'
import { rotating } from './contract/rotating.ts'
import { sessionCodes } from './contract/session-codes.ts'
import { sessionEnds } from './contract/session-ends.ts'
import { userDocuments } from './contract/user-documents.ts'
import { values } from './contract/values.ts'
import { warrants } from './contract/warrants.ts'
import type { World } from './contract/world.ts'
import { writing } from './contract/writing.ts'

const chapters = {
  ...{ reading, logins, ending, adding, removing, administrators, clusters, values, races },
  ...{ codes, refreshing, calling, inviting, writing, rotating, auditing, locking, sessionEnds, programRaces },
  ...{ preferring, deviceCodes, deviceLogins, factorLogins, factorChanges, factorPrograms },
  ...{
    resetting,
    recovering,
    idling,
    ownersEnds,
    codeApprovals,
    sessionCodes,
    kinds,
    warrants,
    userDocuments,
    openSessions,
  },
}

/** `fresh` answers an empty database, migrated, and the ports over it. */
export function contract(name: string, fresh: () => Promise<World>): void {
  describe(name, () => {
    for (const [chapter, cases] of Object.entries(chapters)) {
      describe(chapter, () => {
        for (const [behaviour, work] of Object.entries(cases)) test(behaviour, async () => work(await fresh()))
      })
    }
  })
}
