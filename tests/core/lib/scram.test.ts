import { expect, test } from 'vitest'
import { utf8 } from '../../../core/lib/bytes.ts'
import { ScramClient } from '../../../core/lib/scram.ts'

/** RFC 7677 section 3. */
const rfc = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  server: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  final: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  proof: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
}
const client = () => new ScramClient('pencil', rfc.nonce, { kind: 'none' }, 'user')

test('RFC 7677’s exchange', async () => {
  const scram = client()
  expect(scram.first).toBe(rfc.first)
  expect(await scram.final(rfc.server)).toBe(rfc.final)
  expect(scram.isServer(rfc.proof)).toBe(true)
})

test.each(['v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', 'e=invalid-proof', '', `${rfc.proof},x=1`])(
  'a server that says %j does not know the password',
  async (said) => {
    const scram = client()
    await scram.final(rfc.server)
    expect(scram.isServer(said)).toBe(false)
  },
)

test('no signature is right before there is a proof', () => {
  expect(client().isServer(rfc.proof)).toBe(false)
})

test.each([
  ['another nonce', rfc.server.replace('rOpr', 'xOpr')],
  ['ours alone', rfc.server.replace('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', '')],
  ['few iterations', rfc.server.replace('4096', '4095')],
  ['too many', rfc.server.replace('4096', '1000001')],
  ['no salt', rfc.server.replace('W22ZaJ0SNY7soEsUEjb6gQ==', '')],
  ['an extension that must be understood', `m=x,${rfc.server}`],
  ['something behind it', `${rfc.server},x=1`],
  ['nothing', ''],
])('what a server says is refused: %s', async (_, said) => {
  expect(await client().final(said)).toBeUndefined()
})

test('the binding to TLS is in the message that is signed', async () => {
  const scram = new ScramClient('pencil', rfc.nonce, { kind: 'offered', data: utf8('hash') }, 'user')
  expect(scram.first).toBe('p=tls-server-end-point,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  expect(await scram.final(rfc.server)).toMatch(new RegExp(`^c=${btoa('p=tls-server-end-point,,hash')},r=`))
  expect(new ScramClient('pencil', rfc.nonce, { kind: 'unoffered' }).first).toMatch(/^y,,/)
})
