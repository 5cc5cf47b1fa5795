import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Problem } from '../../cli/problem.ts'
import { chooseTrust, pinOf, requireTrusted, type TrustFlags } from '../../cli/trust.ts'
import { type Issued, issue, newCa, newLeaf } from './certificates.ts'

let [ca, other, leaf]: Issued[] = []
beforeAll(async () => {
  ca = await newCa()
  other = await newCa('Other CA')
  leaf = await newLeaf(ca)
})

const pinned = ({ pem }: Issued) => pinOf(new X509Certificate(pem))

/** A TLS server that keeps what it is sent. */
async function serve(shown: Issued, ...chain: Issued[]) {
  const received: Buffer[] = []
  const cert = [shown, ...chain].map(({ pem }) => pem).join('')
  const server = createServer({ cert, key: shown.key }, (socket) => {
    socket.on('data', (bytes) => received.push(bytes))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { address: { host: 'localhost', port }, received }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-trust-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function fileWith(text: string): string {
  const file = join(newFolder(), 'ca.pem')
  writeFileSync(file, text)
  return file
}

const choose = (address: { host: string; port: number }, flags: TrustFlags = {}, home = '/nonexistent') =>
  chooseTrust(address, flags, home)

async function refusal(asked: Promise<unknown>): Promise<Problem> {
  const problem = await asked.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(problem).toBeInstanceOf(Problem)
  return problem as Problem
}

describe('chooseTrust with --ca-pin', () => {
  test('takes the CA of the chain that has it, and keeps exactly that certificate', async () => {
    const { address } = await serve(leaf!, ca!)
    const trust = await choose(address, { caPin: pinned(ca!) })
    expect(new X509Certificate(trust ?? '').fingerprint256).toBe(new X509Certificate(ca!.pem).fingerprint256)
  })

  test('takes an intermediate CA alone: another one below the same root is refused later', async () => {
    const [middle, second] = [await newCa('Middle', { by: ca! }), await newCa('Second', { by: ca! })]
    const { address } = await serve(await newLeaf(middle), middle, ca!)
    const trust = await choose(address, { caPin: pinned(middle) })
    const changed = await serve(await newLeaf(second), second, ca!)
    expect(await refusal(requireTrusted(changed.address, trust))).toMatchObject({ exit: 'unreachable' })
  })

  test('takes the root of a longer chain', async () => {
    const middle = await newCa('Middle', { by: ca! })
    const { address } = await serve(await newLeaf(middle), middle, ca!)
    expect(await choose(address, { caPin: pinned(ca!) })).toContain('BEGIN CERTIFICATE')
  })

  test('refuses the pin of the leaf, and says which CA is shown', async () => {
    const { address } = await serve(leaf!, ca!)
    const problem = await refusal(choose(address, { caPin: pinned(leaf!) }))
    expect(problem).toMatchObject({ exit: 'unreachable' })
    expect(problem.message).toContain(`a pin must be the one of its CA; the pin of its CA is ${pinned(ca!)}`)
  })

  test('refuses a self-signed certificate that is no CA', async () => {
    const alone = await issue('localhost', { names: ['localhost'] })
    const { address } = await serve(alone)
    expect((await refusal(choose(address, { caPin: pinned(alone) }))).hint).toContain('--ca-file=FILE')
  })

  test('refuses another CA', async () => {
    const { address } = await serve(leaf!, ca!)
    const problem = await refusal(choose(address, { caPin: pinned(other!) }))
    expect(problem.message).toContain(`shows no CA with the pin ${pinned(other!)}`)
  })

  test('refuses the right CA shown beside a certificate that it did not issue', async () => {
    const { address } = await serve(await newLeaf(other!), ca!)
    expect(await refusal(choose(address, { caPin: pinned(ca!) }))).toMatchObject({ exit: 'unreachable' })
  })

  test('refuses a CA of the same name and key id, made by somebody else', async () => {
    const twin = await newCa('Test CA')
    const { address } = await serve(await newLeaf(twin), ca!)
    expect(await refusal(choose(address, { caPin: pinned(ca!) }))).toMatchObject({ exit: 'unreachable' })
  })

  test('refuses another host, a past and a future certificate, each in its own words', async () => {
    const cases = [
      [{ names: ['elsewhere.example'], ips: [] }, /for another name/],
      [{ from: -9, until: -1 }, /has expired/],
      [{ from: 1 }, /not valid yet/],
    ] as const
    for (const [wish, said] of cases) {
      const { address } = await serve(await newLeaf(ca!, wish), ca!)
      expect((await refusal(choose(address, { caPin: pinned(ca!) }))).message).toMatch(said)
    }
  })

  test('refuses an expired CA', async () => {
    const old = await newCa('Old CA', { from: -9, until: -1 })
    const { address } = await serve(await newLeaf(old), old)
    expect((await refusal(choose(address, { caPin: pinned(old) }))).message).toMatch(/has expired/)
  })

  test.each(['', 'sha256:', 'sha1:abc', `sha256:${'A'.repeat(42)}`, `sha256:${'A'.repeat(43)}=`, 'A'.repeat(43)])(
    'refuses %j as no pin, before it reaches for anybody',
    async (caPin) => {
      expect(await refusal(choose({ host: 'localhost', port: 1 }, { caPin }))).toMatchObject({ exit: 'usage' })
    },
  )
})

describe('chooseTrust with --ca-file', () => {
  test('trusts what is in it, and nothing else', async () => {
    const { address } = await serve(leaf!, ca!)
    expect(await choose(address, { caFile: fileWith(ca!.pem) })).toContain('BEGIN CERTIFICATE')
    const problem = await refusal(choose(address, { caFile: fileWith(other!.pem) }))
    expect(problem.exit).toBe('unreachable')
  })

  test('refuses a file without certificates, with a leaf, or that is not there', async () => {
    const address = { host: 'localhost', port: 1 }
    for (const caFile of [fileWith('nothing'), fileWith(leaf!.pem), fileWith(leaf!.key), '/nonexistent/ca.pem']) {
      expect(await refusal(choose(address, { caFile }))).toMatchObject({ exit: 'usage' })
    }
  })

  test('refuses to choose between file and pin', async () => {
    const flags = { caFile: fileWith(ca!.pem), caPin: pinned(ca!) }
    expect(await refusal(choose({ host: 'localhost', port: 1 }, flags))).toMatchObject({ exit: 'usage' })
  })
})

describe('chooseTrust without flags', () => {
  const homeWith = (pem: string) => {
    const home = join(newFolder(), 'home')
    mkdirSync(home)
    writeFileSync(join(home, 'ca.pem'), pem)
    return home
  }

  test('takes the CA of the server on this machine for a loopback address', async () => {
    const { address } = await serve(leaf!, ca!)
    expect(await choose(address, {}, homeWith(ca!.pem))).toContain('BEGIN CERTIFICATE')
    expect(await choose({ ...address, host: '127.0.0.1' }, {}, homeWith(ca!.pem))).toContain('BEGIN CERTIFICATE')
  })

  test('never takes it for another address', async () => {
    const far = { host: 'localhost.', port: (await serve(leaf!, ca!)).address.port }
    expect(await refusal(choose(far, {}, homeWith(ca!.pem)))).toMatchObject({ exit: 'unreachable' })
  })

  test('refuses a CA that nobody knows, shows its pin and both ways to go on', async () => {
    const { address, received } = await serve(leaf!, ca!)
    const problem = await refusal(choose(address))
    expect(problem.exit).toBe('unreachable')
    expect(problem.message).toContain(`the pin of its CA is ${pinned(ca!)}`)
    expect(problem.hint).toContain(`--ca-pin=${pinned(ca!)}`)
    expect(problem.hint).toContain('--ca-file=FILE')
    expect(Buffer.concat(received).toString()).toBe('')
  })

  test('says that nobody answers', async () => {
    expect((await refusal(choose({ host: '127.0.0.1', port: 1 }))).message).toContain(
      'cannot be reached (ECONNREFUSED)',
    )
  })
})

test('requireTrusted: a CA that changed since is refused', async () => {
  const { address } = await serve(await newLeaf(other!), other!)
  expect((await refusal(requireTrusted(address, ca!.pem))).message).toContain(`the pin of its CA is ${pinned(other!)}`)
})
