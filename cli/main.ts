#!/usr/bin/env node
/** `sallyport`: one table from words to commands. Only what is asked for is loaded. */
import { enableCompileCache } from 'node:module'
import process from 'node:process'
import { ownCacheFolder } from './profile.ts'
import type { Verbs } from './words.ts'

const verbs: Verbs = {
  login: ['sign in with a passkey in the browser', () => import('./commands/login.ts')],
  logout: ['end the login and remove its profile', () => import('./commands/logout.ts')],
  status: ['who is signed in, where and until when', () => import('./commands/status.ts')],
  token: ['an access token, or a proof for it, for a script', () => import('./commands/token.ts')],
  why: ['why a session is allowed or refused, and what would help', () => import('./commands/why.ts')],
  'sessions ls': ['where you are signed in', () => import('./commands/sessions-ls.ts')],
  'sessions rm': ['end one of your sessions', () => import('./commands/sessions-rm.ts')],
  'mfa ls': ['list what you sign in with', () => import('./commands/mfa-ls.ts')],
  'mfa add': ['add a passkey in the browser, or an authenticator app here', () => import('./commands/mfa-add.ts')],
  'mfa rm': ['remove a passkey or an authenticator app, with a tap', () => import('./commands/mfa-rm.ts')],
  ls: ['list all that you reach: hosts, databases, clusters, apps, desktops', () => import('./commands/ls.ts')],
  'db ls': ['list the databases that you reach', () => import('./commands/db-ls.ts')],
  'db connect': ['start the client of a database with a session on it', () => import('./commands/db-connect.ts')],
  'db login': ['a certificate for a database, for clients without a helper', () => import('./commands/db-login.ts')],
  'db logout': ['remove that certificate', () => import('./commands/db-logout.ts')],
  'app login': ['a certificate for an app, for clients without a helper', () => import('./commands/app-login.ts')],
  'app logout': ['remove that certificate', () => import('./commands/app-logout.ts')],
  'proxy db': ['listen on this machine for programs that speak to a database', () => import('./commands/proxy-db.ts')],
  'proxy tcp': [
    'listen on this machine for programs that speak to anything else',
    () => import('./commands/proxy-tcp.ts'),
  ],
  'proxy ssh': ['reach a host: the ProxyCommand of ssh and scp', () => import('./commands/proxy-ssh.ts')],
  'proxy app': ['listen on this machine for an app', () => import('./commands/proxy-app.ts')],
  'proxy kube': ['listen on this machine for a Kubernetes cluster', () => import('./commands/proxy-kube.ts')],
  'proxy http': [
    'listen on this machine for browsers, as their proxy to apps',
    () => import('./commands/proxy-http.ts'),
  ],
  'proxy word': [
    'a word for programs that know forward proxies and nothing else',
    () => import('./commands/proxy-word.ts'),
  ],
  'config profiles': ['list the profiles on this machine', () => import('./commands/config-profiles.ts')],
  'config use': ['choose the current profile', () => import('./commands/config-use.ts')],
  'admin status': ['the cluster, its root passkeys and signing keys', () => import('./commands/admin-status.ts')],
  'admin users add': ['invite somebody', () => import('./commands/admin-users-add.ts')],
  'admin users ls': ['list the users', () => import('./commands/admin-users-ls.ts')],
  'admin users reset': [
    'remove all passkeys of a user, and let him in again',
    () => import('./commands/admin-users-reset.ts'),
  ],
  'admin users rm': ['remove a user', () => import('./commands/admin-users-rm.ts')],
  'admin mfa ls': ['list what users sign in with, and the ids', () => import('./commands/admin-mfa-ls.ts')],
  'admin passkeys ls': ['list the passkeys of a user', () => import('./commands/admin-passkeys-ls.ts')],
  'admin passkeys entrust': [
    'let a passkey of a user approve what administrators do',
    () => import('./commands/admin-passkeys-entrust.ts'),
  ],
  'admin sessions ls': ['list who is signed in where', () => import('./commands/admin-sessions-ls.ts')],
  'admin sessions rm': ['end a session of anybody', () => import('./commands/admin-sessions-rm.ts')],
  'admin create': [
    'create roles, databases, locks and the preference about logins from a file',
    () => import('./commands/admin-create.ts'),
  ],
  'admin get': [
    'roles, databases, locks and the preference about logins as they stand',
    () => import('./commands/admin-get.ts'),
  ],
  'admin edit': ['change one of them in your editor', () => import('./commands/admin-edit.ts')],
  'admin rm': ['remove one of them', () => import('./commands/admin-rm.ts')],
  'admin locks add': [
    'lock a user, a role, a passkey or a resource, at once',
    () => import('./commands/admin-locks-add.ts'),
  ],
  'admin locks ls': ['list the locks', () => import('./commands/admin-locks-ls.ts')],
  'admin locks rm': ['remove a lock', () => import('./commands/admin-locks-rm.ts')],
  'admin audit ls': ['what happened, newest first', () => import('./commands/admin-audit-ls.ts')],
  'admin keys rotate': ['let the next signing key sign', () => import('./commands/admin-keys-rotate.ts')],
}

// Halves the time to start: Node need not strip and compile the same sources again.
const cache = ownCacheFolder()
if (cache !== undefined) enableCompileCache(cache)
const { main } = await import('./words.ts')
process.exitCode = await main(verbs, process.argv.slice(2))
