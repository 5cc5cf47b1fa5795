// The peer of the login benchmark: better-auth with its passkey plugin on Node's own SQLite, set up as its documentation
// says. Its migration indexes the passkey table on credentialID and the verification table on identifier by itself.
// node better-auth-server.mjs <port> <database file>
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { passkey } from '@better-auth/passkey'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'

const [port, file] = process.argv.slice(2)
const origin = `http://localhost:${port}`

// The durability of Sallyport's database, so that both wait for the disk at every commit.
const database = new DatabaseSync(file)
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')

const auth = betterAuth({
  baseURL: origin,
  secret: 'long enough and random enough for a benchmark: 4f9a1c7d20b8e653',
  database,
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [passkey({ rpID: 'localhost', rpName: 'bench', origin })],
})

const { runMigrations } = await getMigrations(auth.options)
await runMigrations()

createServer(toNodeHandler(auth)).listen(Number(port), '127.0.0.1', () => console.log(`ready ${origin}`))
