/** People who have more than a passkey, on an edge in this process. */
import type { Preference } from '../core/access/preference.ts'
import { newAdministrator, newEdge } from './edge.ts'
import { addTotp, bothFactors, codeAt, passwordLogin, setPassword } from './factors.ts'

type Settings = Parameters<typeof newAdministrator>[0]

/** The first administrator with a passkey, a password and an authenticator app, half a minute after all that. */
export async function newAccount(settings: Settings = {}) {
  const { edge, passkey, visitor } = await newAdministrator({ preference: bothFactors, ...settings })
  const set = await setPassword(visitor, passkey)
  if (set.status !== 200) throw new Error(`the password was answered ${set.status}: ${set.text}`)
  const { reply, secret } = await addTotp(edge, visitor, passkey)
  if (reply.status !== 200) throw new Error(`the app was answered ${reply.status}: ${reply.text}`)
  edge.advance(30_000)
  const code = (steps = 0) => codeAt(secret, edge.ports.now(), steps)
  /** The same cluster after its preference was changed. */
  const under = (preference: Partial<Preference>) => newEdge({ ...settings, store: edge.store, preference })
  return { edge, passkey, visitor, secret, code, under }
}

/** A password and an app, and no passkey. No verb leaves it so (a reset takes all three): whatever asks for a tap must still say so. */
export async function newAccountWithoutPasskey(settings: Settings = {}) {
  const account = await newAccount(settings)
  account.edge.store.raw.exec('update credentials set removed_at = 1')
  const visitor = account.edge.visitor()
  const { status, text } = await passwordLogin(visitor, { code: account.code() })
  if (status !== 200) throw new Error(`login was answered ${status}: ${text}`)
  account.edge.advance(30_000)
  return { ...account, visitor }
}
