/**
 * One of several processes on one new file: `node ticket-process.ts FILE TICKETS`. Says "up", waits for a line, then
 * opens and migrates the file and answers the same tickets as all others. Its last line says which it won.
 */
import process from 'node:process'
import { Refusal } from '../../core/refusal.ts'
import { storedPorts } from '../../storage/ports.ts'
import { credentialRow, userRow } from '../../storage/rows.ts'
import { credentials, users } from '../../storage/schema.ts'
import { openDatabase } from '../../storage/sqlite.ts'
import { loginOf, newSpend, now } from './contract/world.ts'
import { migrations } from './migration-files.ts'
import { sharedCredential, sharedUser } from './shared-person.ts'

const [file = '', tickets = '0'] = process.argv.slice(2)

process.stdout.write('up\n')
await new Promise((next) => process.stdin.once('data', next))
process.stdin.unref()

const store = openDatabase(file, migrations)
const ports = storedPorts(store)
await store.db.insert(users).values(userRow(sharedUser, now)).onConflictDoNothing()
await store.db.insert(credentials).values(credentialRow(sharedCredential)).onConflictDoNothing()

const won: string[] = []
const answer = async (id: string) => {
  try {
    await ports.sessions.open(loginOf(sharedCredential, { spend: newSpend(id) }))
    won.push(id)
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'ticket_spent')) throw error
  }
}
const ids = Array.from({ length: Number(tickets) }, (_, i) => `ticket ${i}`).sort(() => Math.random() - 0.5)
for (let at = 0; at < ids.length; at += 5) await Promise.all(ids.slice(at, at + 5).map(answer))
store.close()
process.stdout.write(`${JSON.stringify(won)}\n`)
process.exit(0)
