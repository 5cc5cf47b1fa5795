/** Run by passwords.test.ts on each runtime: makes a hash, and verifies those that it is given. */
import process from 'node:process'
import { nodePasswords } from '../../worker/node-passwords.ts'

const passwords = nodePasswords((length) => crypto.getRandomValues(new Uint8Array(length)))
const [, , password = '', ...given] = process.argv
const outcomes = given.map((stored) => passwords.verify(password, stored).catch((error) => error.code))
const made = await passwords.hash(password)
const isRight = await Promise.all([passwords.verify(password, made), passwords.verify(`${password}.`, made)])
process.stdout.write(JSON.stringify({ made, isRight, outcomes: await Promise.all(outcomes) }))
