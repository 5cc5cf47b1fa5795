import { expect, test } from 'vitest'
import { gathered } from '../../worker/gathered.ts'

function logging() {
  const written: string[] = []
  const turns: (() => void)[] = []
  const { log, flush } = gathered(
    (text) => written.push(text),
    (work) => turns.push(work),
  )
  const messages = () => written.map((text) => text.split('\n').map((line) => line && JSON.parse(line).message))
  const turn = () => {
    for (const work of turns.splice(0)) work()
  }
  return { log, flush, messages, turn }
}

const info = (message: string) => ({ level: 'info', message }) as const
const error = (message: string) => ({ level: 'error', message }) as const

test('gathered: the lines of a turn are one write, those of the next turn another', () => {
  const { log, messages, turn } = logging()
  log(info('a'))
  log(info('b'))
  expect(messages()).toEqual([])
  turn()
  log(info('c'))
  turn()
  expect(messages()).toEqual([
    ['a', 'b', ''],
    ['c', ''],
  ])
})

test('gathered: an error is written at once, after what came before it, and nothing twice', () => {
  const { log, messages, turn } = logging()
  log(info('a'))
  log(error('b'))
  expect(messages()).toEqual([['a', 'b', '']])
  log(info('c'))
  turn()
  expect(messages()).toEqual([
    ['a', 'b', ''],
    ['c', ''],
  ])
})

test('gathered: at the end of the process what is left is written', () => {
  const { log, flush, messages } = logging()
  log(info('a'))
  flush()
  flush()
  expect(messages()).toEqual([['a', '']])
})
