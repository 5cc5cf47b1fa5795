/** `sallyport-proxy inspect`: transcripts, and that it loads nothing that it does not need. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { alpn, message, records, sni } from '../../core/hello-writer.ts'
import { newFolder, remove } from '../../runtime/launch.ts'
import { atEnd } from '../proxy.ts'
import { ask, spawnProxy, start } from './start.ts'

const hello = records(message(sni('A.test.'), alpn('h2')), 30)
const hex = Buffer.from(hello).toString('hex')
const value =
  '{"kind":"value","sni":"a.test","alpn":["h2"],"versions":[],"keyShares":[],"ech":false,"records":3,"bytes":87}'

function fileOf(content: string | Uint8Array): string {
  const folder = newFolder()
  atEnd(() => remove(folder))
  const file = join(folder, 'hello')
  writeFileSync(file, content)
  return file
}

test.each<[string, string | Uint8Array, number, string]>([
  ['binary', hello, 0, value],
  ['hex', hex, 0, value],
  ['hex on several lines', hex.replaceAll(/(.{32})/g, '$1\n'), 0, value],
  ['cut short', hello.subarray(0, 20), 3, '{"kind":"more","why":"ends after 20 bytes, and has 35 at least"}'],
  ['nothing', '', 3, '{"kind":"more","why":"ends after 0 bytes, and has 6 at least"}'],
  ['no hello', 'GET / HTTP/1.1', 4, '{"kind":"invalid","why":"not_tls"}'],
  ['SSLv2', '802e0100', 4, '{"kind":"invalid","why":"sslv2"}'],
])('%s: one line of JSON and its exit code, from a file and from what comes in', async (_, content, code, line) => {
  const expected = { code, stdout: `${line}\n`, stderr: '' }
  expect(await start({}, ['inspect', fileOf(content)])).toEqual(expected)
  expect(await ask(['inspect', '-'], [content])).toEqual(expected)
})

test('--jsonl: one answer for each line, also for a bad one, also for the last without an end; exit 0', async () => {
  const lines = [`{"hex":"${hex}"}`, 'nonsense', '', '{"hex":"1603"}', '{"hex":"zz"}', '{"hex":"80"}', '{"hex":"78"}']
  const answers = [
    value,
    '{"kind":"invalid","why":"line_malformed"}',
    '{"kind":"invalid","why":"line_malformed"}',
    '{"kind":"more","why":"ends after 2 bytes, and has 6 at least"}',
    '{"kind":"invalid","why":"line_malformed"}',
    '{"kind":"more","why":"ends after 1 bytes, and has 6 at least"}',
    '{"kind":"invalid","why":"not_tls"}',
  ]
  const expected = { code: 0, stdout: `${answers.join('\n')}\n`, stderr: '' }
  expect(await ask(['inspect', '--jsonl'], [lines.join('\n')])).toEqual(expected)
  expect(await ask(['inspect', '--jsonl', '-'], [...`${lines.join('\n')}\n`])).toEqual(expected)
  expect(await start({}, ['inspect', '--jsonl', fileOf(lines.join('\r\n'))])).toEqual(expected)
  expect(await ask(['inspect', '--jsonl'], [])).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('--jsonl: a line too long is told as such, and the next one is read', async () => {
  const long = 'x'.repeat(1024 * 1024)
  const { code, stdout } = await ask(['inspect', '--jsonl'], [...Array(64).fill(long), `\n{"hex":"${hex}"}\n`, long])
  const tooLong = '{"kind":"invalid","why":"line_too_long"}'
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${tooLong}\n${value}\n${tooLong}\n` })
})

test('--jsonl: whoever has seen enough ends it without a complaint', async () => {
  const child = spawnProxy({}, ['inspect', '--jsonl'], 'pipe')
  let stderr = ''
  child.stderr?.on('data', (part) => {
    stderr += part
  })
  child.stdin?.on('error', () => undefined)
  child.stdout?.once('data', () => child.stdout?.destroy())
  const feeding = setInterval(() => child.stdin?.write('x\n'.repeat(1000)), 5)
  const code = await new Promise((done) => child.once('exit', done))
  clearInterval(feeding)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('a capture too large, and a file that is not there', async () => {
  for (const [file, why] of [
    [fileOf(new Uint8Array(300_000)), /is larger than 262144 bytes\nhint: /],
    ['/nowhere', /\/nowhere cannot be read \(ENOENT\)\nhint: /],
  ] as const) {
    const { code, stdout, stderr } = await start({}, ['inspect', file])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^sallyport: error: Cannot inspect: /)
    expect(stderr).toMatch(why)
  }
})

test.each([[[]], [['a', 'b']], [['a', '--config', 'x']]])('inspect %j: the usage, exit 2', async (args) => {
  const { code, stdout, stderr } = await start({}, ['inspect', ...args])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^Usage: /)
})

/** The scripts that a run has loaded, as V8 counts them. */
async function loadedBy(args: readonly string[]): Promise<string[]> {
  const folder = newFolder()
  atEnd(() => remove(folder))
  await start({ NODE_V8_COVERAGE: folder }, args)
  const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  return reports.flatMap(({ result }) => result.map(({ url }: { url: string }) => url))
}

test('inspect and explain load nothing that they do not need', async () => {
  const inspecting = await loadedBy(['inspect', fileOf(hello)])
  expect(inspecting.filter((url) => url.endsWith('/core/route/hello.ts'))).toHaveLength(1)
  expect(inspecting.filter((url) => /node_modules|\/proxy\/(?!main|commands\/inspect)/.test(url))).toEqual([])
  const explaining = await loadedBy(['explain', '--config', fileOf('version: v1')])
  expect(explaining.filter((url) => url.endsWith('/proxy/config-routes.ts'))).toHaveLength(1)
  expect(
    explaining.filter((url) => /\/proxy\/(serve|tls|relay|http|listener)\.ts|node_modules\/jose/.test(url)),
  ).toEqual([])
})
