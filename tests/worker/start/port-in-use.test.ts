import { createServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import { Visitor } from '../../client.ts'
import { freePort, launchServe } from '../../runtime/launch.ts'
import { expectRefusedStart, newHome, start, usedHome } from './start.ts'

/** undefined: this machine has no such address. */
function occupy(host: string, port: number): Promise<Server | undefined> {
  const server = createServer()
  return new Promise((done) => {
    server.once('error', () => done(undefined))
    server.listen({ host, port, ipv6Only: true }, () => done(server))
  })
}

test.for(['127.0.0.1', '::1'])('start refuses a port that is in use on %s', async (host, context) => {
  const port = await freePort()
  const server = await occupy(host, port)
  if (!server) return context.skip(`this machine has no ${host}`)
  try {
    const home = await usedHome()
    const env = { SALLYPORT_EDGE_PORT: String(port) }
    await expectRefusedStart({ home, env }, new RegExp(`port ${port} is in use`), /SALLYPORT_EDGE_PORT/)
  } finally {
    server.close()
  }
})

test('a second start on the same port and home leaves the link of the first alone', async () => {
  const home = newHome()
  const edge = await launchServe('node', { home })
  try {
    const second = await start({ SALLYPORT_HOME: home, SALLYPORT_EDGE_PORT: new URL(edge.origin).port })
    expect(second).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is in use') })
    const secret = edge.secret ?? ''
    const check = await new Visitor(edge.origin).post('/v1/first-administrator/check', { secret })
    expect(check.status).toBe(200)
  } finally {
    await edge.stop()
  }
})
