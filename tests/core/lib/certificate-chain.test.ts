import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../../core/lib/certificate.ts'
import { judgeChain } from '../../../core/lib/certificate-chain.ts'
import {
  crlSign,
  der,
  extensionOf,
  leafName,
  type Made,
  makeCertificate,
  makeChain,
  makeRoot,
  newKeys,
  now,
  type Plan,
  rsaOf,
  versionOne,
} from '../certificates.ts'

const hour = 3_600_000

interface Lists {
  readonly allowed?: readonly Made[]
  readonly denied?: readonly Made[]
}

/** The subject of the CA that decided, or why none did. */
async function judge(chain: readonly Made[], { allowed = [], denied = [] }: Lists = {}, at = now) {
  const of = (made: readonly Made[]) => made.map(({ certificate }) => certificate)
  const judged = await judgeChain(of(chain), { allowed: of(allowed), denied: of(denied) }, at)
  if (judged.kind === 'refused') return judged.why
  const { ca } = judged
  return [...chain, ...allowed].find(({ certificate }) => certificate === ca)?.name
}

const top = (chain: readonly Made[]) => chain.at(-1) as Made
const withoutRoot = (chain: readonly Made[]) => chain.slice(0, -1)

describe('judgeChain trusts', () => {
  test('a chain to an allowed CA, with and without the CA in it', async () => {
    for (const between of [[], [{}], [{}, {}, {}, {}]]) {
      const chain = await makeChain({}, ...between)
      expect(await judge(chain, { allowed: [top(chain)] })).toBe('CN=Root')
      expect(await judge(withoutRoot(chain), { allowed: [await makeRoot(), top(chain)] })).toBe('CN=Root')
    }
  })

  test('an allowed intermediate, in the chain or above it, whatever stands over it', async () => {
    const chain = await makeChain({}, {})
    const allowed = [chain[1]!]
    for (const shown of [chain, withoutRoot(chain), chain.slice(0, 1)])
      expect(await judge(shown, { allowed })).toBe('CN=Intermediate 0')
  })

  test('a leaf that is itself allowed', async () => {
    const [leaf] = await makeChain()
    expect(await judge([leaf!], { allowed: [leaf!] })).toBe(leafName)
  })

  test('with a deny list alone, any chain that holds together', async () => {
    const chain = await makeChain({}, {})
    const denied = [await makeRoot()]
    expect(await judge(chain, { denied })).toBe('CN=Root')
    expect(await judge(chain.slice(0, 1), { denied })).toBe(leafName)
  })

  test('at the first and the last moment of its life', async () => {
    const chain = await makeChain({ from: now - hour, until: now + hour })
    for (const at of [now - hour, now + hour]) expect(await judge(chain, {}, at)).toBe('CN=Root')
  })

  test('CAs that say nothing of key usage, a path that is just long enough, critical extensions that are known', async () => {
    const names = extensionOf('2.5.29.17', der(0x30), true)
    const chain = await makeChain({ extensions: [names] }, { usages: 'none', pathLength: 1 }, { pathLength: 0 })
    expect(await judge(chain, { allowed: [top(chain)] })).toBe('CN=Root')
  })

  test('a leaf without basic constraints, and one whose say that it is no CA', async () => {
    for (const ca of ['none', false] as const) {
      const chain = await makeChain({ ca })
      expect(await judge(chain, { allowed: [top(chain)] })).toBe('CN=Root')
    }
    const explicitly = extensionOf('2.5.29.19', der(0x30, der(1, [0])))
    expect(await judge(await makeChain({ ca: 'none', extensions: [explicitly] }))).toBe('CN=Root')
  })
})

describe('judgeChain refuses', () => {
  test('a CA of version 1, which cannot say that it is one', async () => {
    const chain = await makeChain({}, {})
    const [leaf, between, root] = chain as [Made, Made, Made]
    const old = parseCertificate(versionOne(between, root))
    if (old.kind !== 'value') throw new Error('not read')
    expect(old.value.version).toBe(1)
    expect(await judge([leaf, { ...between, certificate: old.value }], { allowed: [root] })).toBe(
      'certificate 1: no CA',
    )
  })

  const unknown = { extensions: [extensionOf('1.2.3.4', der(5), true)] }
  const constraints = (...content: Uint8Array[]) => ({
    ca: 'none' as const,
    extensions: [extensionOf('2.5.29.19', der(0x30, ...content))],
  })
  test.each<[what: string, why: string, leaf: Plan, ...between: Plan[]]>([
    ['an expired leaf', 'certificate 0: expired', { until: now - hour }],
    ['a leaf of the future', 'certificate 0: not yet valid', { from: now + hour }],
    ['an expired intermediate', 'certificate 1: expired', {}, { until: now - hour }],
    ['an intermediate of the future', 'certificate 1: not yet valid', {}, { from: now + hour }],
    ['a leaf that is a CA', 'certificate 0: a CA', { ca: true }],
    ['an intermediate without the CA flag', 'certificate 1: no CA', {}, { ca: false }],
    ['an intermediate without basic constraints', 'certificate 1: no CA', {}, { ca: 'none' }],
    ['a path that is too long', 'certificate 2: path length', {}, { pathLength: 0 }, {}],
    ['a CA that may not sign certificates', 'certificate 1: key usage', {}, { usages: crlSign }],
    ['an unknown critical extension of the leaf', 'certificate 0: unknown critical extension 1.2.3.4', unknown],
    ['one of a CA', 'certificate 1: unknown critical extension 1.2.3.4', {}, unknown],
    [
      'name constraints, which are not read',
      'certificate 1: unknown critical extension 2.5.29.30',
      {},
      { extensions: [extensionOf('2.5.29.30', der(0x30), true)] },
    ],
    [
      'basic constraints that are no DER',
      'certificate 1: no CA',
      {},
      { ca: 'none', extensions: [extensionOf('2.5.29.19', new Uint8Array([0x30, 1]))] },
    ],
    [
      'a leaf whose basic constraints are no DER',
      'certificate 0: a CA',
      { ca: 'none', extensions: [extensionOf('2.5.29.19', new Uint8Array([255, 255]))] },
    ],
    ['a path length without the CA flag', 'certificate 1: no CA', {}, constraints(der(2, [1]))],
    ['a negative path length', 'certificate 1: no CA', {}, constraints(der(1, [255]), der(2, [255]))],
    ['a signature with SHA-1', 'certificate 1: not the issuer by signature', { hash: 'SHA-1' }, {}],
  ])('%s', async (_what, why, leaf, ...between) => {
    const isSha1 = leaf.hash === 'SHA-1'
    const keys = isSha1 ? [{ keys: await newKeys(rsaOf(2048, 'SHA-1')) }] : between
    const chain = await makeChain(leaf, ...keys)
    const expected = { allowed: [top(chain)] }
    expect(await judge(chain, expected)).toBe(why)
    if (!isSha1) expect(await judge(withoutRoot(chain), expected)).toBe(why)
    expect(await judge(chain)).toBe(why)
  })

  test('a signature that the issuer did not make', async () => {
    const root = await makeRoot()
    const leaf = await makeCertificate({ issuer: { name: root.name, keys: await newKeys() } })
    expect(await judge([leaf, root], { allowed: [root] })).toBe('certificate 1: not the issuer by signature')
    expect(await judge([leaf], { allowed: [root] })).toBe('no allowed CA')
  })

  test('an issuer of another name', async () => {
    const root = await makeRoot()
    const leaf = await makeCertificate({ issuer: { name: 'CN=Another', keys: root.keys } })
    expect(await judge([leaf, root], { allowed: [root] })).toBe('certificate 1: not the issuer by name')
    expect(await judge([leaf], { allowed: [root] })).toBe('no allowed CA')
  })

  test('certificates in another order', async () => {
    const [leaf, between, root] = (await makeChain({}, {})) as [Made, Made, Made]
    expect(await judge([leaf, root, between], { allowed: [root] })).toBe('certificate 1: not the issuer by name')
  })

  test('a loop, and a certificate that stands there twice', async () => {
    const [a, b] = [await newKeys(), await newKeys()]
    const [nameA, nameB] = ['CN=A', 'CN=B']
    const ofB = await makeCertificate({ name: nameA, keys: a, issuer: { name: nameB, keys: b }, ca: true })
    const ofA = await makeCertificate({ name: nameB, keys: b, issuer: { name: nameA, keys: a }, ca: true })
    const leaf = await makeCertificate({ issuer: { name: nameA, keys: a } })
    expect(await judge([leaf, ofB, ofA, ofB])).toBe('certificate 3: a second time')
    expect(await judge([leaf, leaf])).toBe('certificate 1: a second time')
    expect(await judge([leaf, ofB, ofA], { allowed: [await makeRoot()] })).toBe('no allowed CA')
  })

  test('more than six certificates', async () => {
    expect(await judge(await makeChain({}, {}, {}, {}, {}))).toBe('CN=Root')
    expect(await judge(await makeChain({}, {}, {}, {}, {}, {}))).toBe('more than 6 certificates')
  })

  test('an allowed CA that is expired, may not issue, or may not issue so far down', async () => {
    const keys = await newKeys()
    const chain = [await makeCertificate({ issuer: { name: 'CN=Root', keys } })]
    const deeper = (await makeChain({}, {})).slice(0, 2)
    for (const plan of [{ until: now - hour }, { from: now + hour }, { ca: false }, { usages: crlSign }])
      expect(await judge(chain, { allowed: [await makeRoot({ keys, ...plan })] })).toBe('no allowed CA')
    expect(await judge(chain, { allowed: [await makeRoot({ keys, pathLength: 0 })] })).toBe('CN=Root')
    const issuer = { name: 'CN=Root', keys }
    const between = await makeCertificate({ issuer, name: 'CN=Between', ca: true })
    const leaf = await makeCertificate({ issuer: between })
    expect(await judge([leaf, between], { allowed: [await makeRoot({ keys, pathLength: 0 })] })).toBe('no allowed CA')
    expect(await judge([leaf, between], { allowed: [await makeRoot({ keys, pathLength: 1 })] })).toBe('CN=Root')
    expect(await judge(deeper, { allowed: [await makeRoot({ keys })] })).toBe('no allowed CA')
  })
})

describe('judgeChain refuses what leads to a denied CA', () => {
  const denied = 'a denied CA'

  test('be it root, intermediate or leaf, and whatever is allowed', async () => {
    const chain = await makeChain({}, {})
    for (const one of chain) {
      expect(await judge(chain, { denied: [one] })).toBe(denied)
      expect(await judge(chain, { denied: [await makeRoot(), one], allowed: chain })).toBe(denied)
    }
  })

  test('the issuer of the leaf is not shown, the root is allowed', async () => {
    const chain = await makeChain({}, {})
    const [leaf, between, root] = chain as [Made, Made, Made]
    expect(await judge([leaf, between], { allowed: [root], denied: [between] })).toBe(denied)
    expect(await judge([leaf], { allowed: [between], denied: [root] })).toBe(denied)
    expect(await judge([leaf], { denied: [between] })).toBe(denied)
  })

  test('under another name, after its end, or certified by a CA that is allowed', async () => {
    const keys = await newKeys()
    const old = await makeRoot({ keys, name: 'CN=Old name', until: now - hour, ca: 'none' })
    const leaf = await makeCertificate({ issuer: { keys, name: 'CN=New name' } })
    expect(await judge([leaf], { denied: [old] })).toBe(denied)
    const root = await makeRoot()
    const crossed = await makeCertificate({ keys, name: 'CN=New name', issuer: root, ca: true })
    expect(await judge([leaf, crossed], { allowed: [root] })).toBe('CN=Root')
    expect(await judge([leaf, crossed], { allowed: [root], denied: [old] })).toBe(denied)
  })
})
