/** Several proxies that start at once on one empty home are one proxy: they end with the same key, and none of them fails. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { identityLine, openIdentity, proxyFolder } from '../../proxy/identity.ts'
import { openLocalCa } from '../../proxy/local-ca.ts'
import { newFolder, remove, root } from '../runtime/launch.ts'
import { endOf, newHome } from '../worker/start/start.ts'
import { atEnd, local, needs } from './proxy.ts'
import { spawnProxy, startReady } from './start/start.ts'

test('four processes', async () => {
  const home = newHome()
  const env = { SALLYPORT_HOME: home }
  const all = await Promise.all(Array.from({ length: 4 }, () => endOf(spawnProxy(env, ['identity']))))
  const line = `${identityLine(await openIdentity(needs, home))}\n`
  for (const one of all) expect(one).toEqual({ code: 0, stdout: line, stderr: '' })
  expect(readdirSync(proxyFolder(home))).toEqual(['key'])
})

/** As containers that share a volume, in each of which the proxy is process 1. */
test('16 times four threads, whose process has one number: what one has read is never replaced by another', async () => {
  const homes = Array.from({ length: 16 }, () => newFolder())
  atEnd(() => homes.forEach(remove))
  const module = (name: string) => JSON.stringify(pathToFileURL(join(root, 'proxy', name)).href)
  const code = `
    const { parentPort, workerData: { homes, gate, names } } = require('node:worker_threads')
    const needs = { now: Date.now, random: (length) => crypto.getRandomValues(new Uint8Array(length)) }
    const modules = Promise.all([import(${module('identity.ts')}), import(${module('local-ca.ts')})])
    modules.then(async ([{ openIdentity }, { openLocalCa }]) => {
      const found = []
      for (const [n, home] of homes.entries()) {
        Atomics.add(gate, n, 1)
        Atomics.notify(gate, n)
        for (let here; (here = Atomics.load(gate, n)) < 4; ) Atomics.wait(gate, n, here)
        const { x } = await openIdentity(needs, home)
        found.push([x, Buffer.from((await openLocalCa(needs, home, names)).certificate).toString('hex')])
      }
      parentPort.postMessage(found)
    })`
  const gate = new Int32Array(new SharedArrayBuffer(4 * homes.length))
  const found = await Promise.all(
    Array.from({ length: 4 }, () => {
      const worker = new Worker(code, { eval: true, workerData: { homes, gate, names: local } })
      return new Promise<string[][]>((done, fail) => worker.once('message', done).once('error', fail))
    }),
  )
  for (const [n, home] of homes.entries()) {
    const { x } = await openIdentity(needs, home)
    const { certificate } = await openLocalCa(needs, home, local)
    const one = [x, Buffer.from(certificate).toString('hex')]
    expect(found.map((all) => all[n])).toEqual([one, one, one, one])
  }
})

test('two that serve, each on a port of its own', async () => {
  const env = { SALLYPORT_HOME: newHome() }
  const both = await Promise.all([startReady(env), startReady(env)])
  for (const { child, ended } of both) {
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
  }
})
