/** The edge with its database on the disk, and the very same with its database in memory. */
import { statfsSync } from 'node:fs'
import type { Contender } from './contender.ts'
import { Grants } from './grants.ts'
import type { Passkey } from './passkey.ts'
import { type Program, redirectUri, TokenEndpoint } from './program.ts'
import { Browser, edgeCommand, enrollPasskeys } from './sallyport.ts'

const clientId = 'sallyport-cli'
const memory = '/dev/shm'
/** TMPFS_MAGIC of statfs(2). */
const tmpfs = 0x01021994

export const onDisk: Contender<Grants> = { name: 'sallyport_file', command: edgeCommand, enroll }

export const inMemory: Contender<Grants> = {
  ...onDisk,
  name: 'sallyport_memory',
  parent: memory,
  missing: () => (isMemory() ? undefined : `${memory} is no memory file system here`),
}

function isMemory(): boolean {
  try {
    return statfsSync(memory).type === tmpfs
  } catch {
    return false
  }
}

async function enroll(...[server, port, clients]: Parameters<typeof enrollPasskeys>): Promise<Grants> {
  const passkeys = await enrollPasskeys(server, port, clients)
  const endpoint = new TokenEndpoint(port, '/oauth/token', clientId)
  return new Grants(port, endpoint, clients, (programs) => approveAll(port, passkeys, programs))
}

/** By the real ceremony, with a tap each: every passkey in a browser of its own, which takes the next program that waits. */
async function approveAll(port: number, passkeys: readonly Passkey[], programs: readonly Program[]) {
  const codes: string[] = []
  const waiting = programs.entries()
  await Promise.all(
    passkeys.map(async (passkey) => {
      const browser = await Browser.open(port)
      await browser.logIn(passkey)
      for (const [index, program] of waiting) {
        const location = await browser.approve(passkey, requestOf(program))
        codes[index] = new URL(location).searchParams.get('code') ?? ''
      }
      browser.close()
    }),
  )
  return codes
}

const requestOf = ({ challenge, jkt }: Program): Record<string, string> => ({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: redirectUri,
  scope: 'openid api',
  code_challenge: challenge,
  code_challenge_method: 'S256',
  dpop_jkt: jkt,
})
