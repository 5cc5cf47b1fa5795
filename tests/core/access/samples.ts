/** Documents as people write them, and a certificate to put into one. */
import type { Json } from '../../../core/intent.ts'

/** Self-signed, P-256. Its key is lost. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUdOw66udFTQ0RZnb2S5E+yGV9dpgwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY2EwIBcNMjYxMTI1MDMyOTExWhgPMjEyNjExMDEwMzI5MTFa
MA0xCzAJBgNVBAMMAmNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEidGnPciB
O12JMB8m1gdYqY1sEzGAL7SWv3F6VVCAQH8tky68i69xntqe55SDzv5nng67gC3R
Ly9W3DWt5br/BaNTMFEwHQYDVR0OBBYEFFFzyRNMUrtj9rpRvTVJ7MrQ0FlSMB8G
A1UdIwQYMBaAFFFzyRNMUrtj9rpRvTVJ7MrQ0FlSMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIgX0+zGjkBx/IX+hmd8rpK5jE4PZ2f6OA86MmGEeGr
rZkCIQCGNmjdqwIhOPEOyaXtWD2KQ1wKt+DtbgTeGz3PrQ0eig==
-----END CERTIFICATE-----
`

export const role = {
  kind: 'role',
  version: 'v7',
  metadata: { name: 'dev', description: 'Developers', labels: { team: 'a' } },
  spec: {
    options: { max_session_ttl: '8h', require_session_mfa: true },
    allow: { db_labels: { env: ['dev', 'staging'] }, db_users: ['reader'], db_names: ['app'] },
    deny: { db_names: ['postgres'] },
  },
} as const

export const node = {
  kind: 'node',
  version: 'v2',
  sub_kind: 'openssh',
  metadata: { name: 'web-1', labels: { env: 'dev' } },
  spec: { addr: 'web-1.internal:22', hostname: 'web-1' },
} as const

export const kubeCluster = {
  kind: 'kube_cluster',
  version: 'v3',
  metadata: { name: 'k8s' },
  spec: { uri: 'k8s.internal:6443', tls: { mode: 'verify-full', ca_cert: certificate } },
} as const

export const app = {
  kind: 'app',
  version: 'v3',
  metadata: { name: 'wiki', description: 'The wiki' },
  spec: { uri: 'https://wiki.internal:443', insecure_skip_verify: true },
} as const

export const windowsDesktop = {
  kind: 'windows_desktop',
  version: 'v3',
  metadata: { name: 'desk-1' },
  spec: { addr: '10.0.0.9:3389', domain: 'corp.example.com', non_ad: false },
} as const

export const db = {
  kind: 'db',
  version: 'v3',
  metadata: { name: 'orders', labels: { env: 'dev' } },
  spec: {
    protocol: 'postgres',
    uri: 'db.example.com:5432',
    tls: { mode: 'verify-full', ca_cert: certificate, server_name: 'orders.internal' },
  },
} as const

export const lock = {
  kind: 'lock',
  version: 'v2',
  metadata: { name: 'ada-left' },
  spec: { target: { user: 'Ada' }, message: 'Ask the help desk', expires: '2030-01-31T12:00:00Z' },
} as const

export const user = {
  kind: 'user',
  version: 'v2',
  metadata: { name: 'Ada Lovelace' },
  spec: { roles: ['access', 'dev'], traits: { db_users: ['ada', 'reader'], 'https://idp.example/groups': ['dba'] } },
} as const

export const preference = {
  kind: 'cluster_auth_preference',
  version: 'v2',
  metadata: { name: 'cluster-auth-preference' },
  spec: {
    type: 'local',
    second_factor: 'on',
    webauthn: {
      rp_id: 'example.com',
      former_rp_ids: ['access.example.com'],
      related_origins: ['https://access.example.org'],
      attestation_allowed_cas: [certificate],
      denied_aaguids: ['ee882879-721c-4913-9775-3dfcce97072a'],
      backup_eligible: false,
    },
    require_session_mfa: true,
    default_session_ttl: '8h',
    locking_mode: 'strict',
    passwordless: true,
    allow_passwords: false,
  },
} as const

/** A copy with another value at a path; undefined leaves the member out. */
export function changed(json: Json, path: readonly string[], value: Json | undefined): Json {
  const [name, ...rest] = path
  if (name === undefined) return value as Json
  const map = json as { readonly [member: string]: Json }
  const { [name]: before = {}, ...others } = map
  const after = rest.length === 0 ? value : changed(before, rest, value)
  return after === undefined ? others : { ...others, [name]: after }
}
