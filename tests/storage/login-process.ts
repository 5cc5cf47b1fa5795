/**
 * Logs in for ever: `node login-process.ts FILE ACKNOWLEDGED`. Each line of the second file is the id of a session that was
 * acknowledged; a file, because a pipe that is full refuses a line. The first one is also said on stdout.
 */
import { openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { storedPorts } from '../../storage/ports.ts'
import { credentialRow, userRow } from '../../storage/rows.ts'
import { credentials, users } from '../../storage/schema.ts'
import { openDatabase } from '../../storage/sqlite.ts'
import { loginOf, now } from './contract/world.ts'
import { migrations } from './migration-files.ts'
import { sharedCredential, sharedUser } from './shared-person.ts'

const store = openDatabase(process.argv[2] ?? '', migrations)
const { sessions } = storedPorts(store)
await store.db.insert(users).values(userRow(sharedUser, now)).onConflictDoNothing()
await store.db.insert(credentials).values(credentialRow(sharedCredential)).onConflictDoNothing()

const acknowledged = openSync(process.argv[3] ?? '', 'a')
let logins = 0

const login = async () => {
  const given = loginOf(sharedCredential)
  await sessions.open(given)
  writeSync(acknowledged, `${given.session.id}\n`)
  if (logins++ === 0) process.stdout.write('first\n')
}
// Several at once, so that a commit is shared and a kill may come between two acknowledgements of one.
for (;;) await Promise.all([login(), login(), login()])
