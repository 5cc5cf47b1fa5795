import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { Visitor } from '../../client.ts'
import { launchServe, remove } from '../../runtime/launch.ts'

test('a client that goes away in the middle of its body is no error of ours', async () => {
  const edge = await launchServe('node')
  try {
    const { port, host } = new URL(edge.origin)
    const head = [
      'POST /v1/login/begin HTTP/1.1',
      `Host: ${host}`,
      `Origin: ${edge.origin}`,
      'Content-Type: application/json',
    ]
    await new Promise<void>((done) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write([...head, 'Content-Length: 100', '', '{"half'].join('\r\n'))
        setTimeout(() => socket.destroy(), 100)
      })
      socket.on('close', () => done())
    })
    await expect.poll(() => edge.stderr()).toContain('/v1/login/begin')
    expect(edge.stderr()).not.toContain('"level":"error"')
    expect((await new Visitor(edge.origin).get('/healthz')).status).toBe(200)
  } finally {
    await edge.stop()
    remove(edge.home)
  }
})
