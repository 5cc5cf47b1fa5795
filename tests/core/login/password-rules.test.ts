import { expect, test } from 'vitest'
import { requireGoodPassword } from '../../../core/login/password-rules.ts'
import { newEdge } from '../../edge.ts'
import { goodPassword } from '../../factors.ts'

const { site } = await newEdge({ origin: 'https://access.kettleworks.example' })
const whyNot = (password: string, user = 'Ada Lovelace') =>
  requireGoodPassword(site, user, password).then(
    () => undefined,
    (refused: { code: string; told: string }) => refused.told,
  )

test.each([
  goodPassword,
  'correct horse battery staple',
  'J8#mQ2!vLp9x',
  'пароль из четырёх слов',
  '密码由许多不同的汉字组成的',
  '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧',
  'zxkvqpwmrtbn'.padEnd(128, 'abcdefghij'),
])('takes %j', async (password) => {
  expect(await whyNot(password)).toBeUndefined()
})

test('counts characters as people do: 12 to 128 code points after NFKC', async () => {
  expect(await whyNot('J8#mQ2!vLp9')).toBe('It has fewer than 12 characters.')
  // 22 UTF-16 units, 11 characters; and a ligature is the letters that it stands for.
  expect(await whyNot('🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔')).toBe('It has fewer than 12 characters.')
  expect(await whyNot('J8#mQ2!vLpﬁ')).toBeUndefined()
  expect(await whyNot('zxkvqpwmrtbn'.padEnd(129, 'abcdefghij'))).toBe('It has more than 128 characters.')
})

test.each(['aaaaaaaaaaaa', 'abababababab', '            ', 'abcdabcdabcdabcd'])(
  'refuses %j: the same few characters',
  async (password) => {
    expect(await whyNot(password)).toBe('It repeats the same few characters.')
  },
)

const guessable = 'It is made of common passwords, your name or the name of this site.'
test.each([
  ['a common one', '1qaz2wsx3edc4rfv'],
  ['in another letter case', 'PassWordQwerty'],
  ['with a year and a mark', 'Password2026!'],
  ['two of them', 'dragonmonkey1'],
  ['three of them', 'sunshine-qwerty-love'],
  ['a full-width spelling', 'ｐａｓｓｗｏｒｄ１２３４５'],
  ['the person’s name', 'AdaLovelace1815'],
  ['the host', 'kettleworks2026'],
  ['host and name', 'lovelace@access.kettleworks.example'],
])('refuses what is made of %s: %s', async (_, password) => {
  expect(await whyNot(password)).toBe(guessable)
})

test('takes a password that has more than a common part', async () => {
  expect(await whyNot('password jkqz7v')).toBeUndefined()
  expect(await whyNot('Lovelace vrk93hz')).toBeUndefined()
})

test('takes nothing of what one or two letters of a name say', async () => {
  expect(await whyNot('abcd efgh jklm', 'a b')).toBeUndefined()
})
