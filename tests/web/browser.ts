/**
 * A real Chromium with virtual authenticators against `npm start`. A person has keys and a browser; whatever that
 * browser complains about (console, content security policy, exceptions) is a failure of the page.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { expect, type TestContext } from 'vitest'
import { freePort, newFolder, type Running, ready, remove, root } from '../runtime/launch.ts'
import { accessibilityProblems } from './axe.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome']
const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

/** Call it first in each test: without a Chromium, the test skips and says so. */
export function requireChromium(ctx: TestContext): void {
  if (executablePath === undefined) ctx.skip('Chromium is not installed')
}

/** undefined where there is no Chromium. */
export async function openBrowser(more: readonly string[] = []): Promise<Browser | undefined> {
  if (executablePath === undefined) return undefined
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic']
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run', ...quiet, ...more]
  return chromium.launch({ executablePath, args })
}

export interface Edge extends Running {
  /** The first administrator's link, whole. */
  readonly link: string
  readonly proxyPort: number
  /** The same folder and port, in a new process. */
  restart(): Promise<Edge>
  /** Ends it and clears its folder. */
  end(): Promise<void>
}

/** `npm start`, as its user has it. */
export async function startEdge(home = newFolder(), port?: number): Promise<Edge> {
  const chosen = port ?? (await freePort())
  const proxyPort = await freePort()
  const settings = {
    SALLYPORT_HOME: home,
    SALLYPORT_EDGE_PORT: String(chosen),
    SALLYPORT_PROXY_PORT: String(proxyPort),
    SALLYPORT_LOGIN_LIMIT: '10000',
  }
  const child = spawn(process.execPath, [join(root, 'start.ts')], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  // Ctrl-C in a terminal reaches both processes; a signal to the launcher alone must be SIGTERM.
  const stop = () => {
    child.kill('SIGTERM')
    return ended
  }
  const running = await ready(
    child,
    home,
    `http://localhost:${chosen}`,
    /edge ready[\s\S]*proxy ready|proxy ready[\s\S]*edge ready/,
  )
  return {
    ...running,
    stop,
    proxyPort,
    link: `${running.origin}/first-administrator#${running.secret}`,
    restart: async () => {
      await stop()
      return startEdge(home, chosen)
    },
    end: async () => {
      await stop()
      remove(home)
    },
  }
}

interface KeyOptions {
  readonly protocol: 'ctap2' | 'u2f'
  readonly ctap2Version?: 'ctap2_1'
  readonly transport: 'internal' | 'usb'
  readonly hasResidentKey?: boolean
  readonly hasUserVerification?: boolean
  readonly isUserVerified?: boolean
  readonly automaticPresenceSimulation: boolean
}

const modern = {
  protocol: 'ctap2',
  ctap2Version: 'ctap2_1',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
} as const

/** A virtual authenticator: one that is not touched answers nothing. */
export class Key {
  readonly #cdp: CDPSession
  readonly #options: KeyOptions
  #plugged: Promise<string> | undefined

  constructor(cdp: CDPSession, options: KeyOptions) {
    this.#cdp = cdp
    this.#options = options
  }

  /** What the browser calls it, which knows it from now on. */
  plugged(): Promise<string> {
    const options = this.#options
    this.#plugged ??= this.#cdp
      .send('WebAuthn.addVirtualAuthenticator', { options })
      .then(({ authenticatorId }) => authenticatorId)
    return this.#plugged
  }

  /** For good: what it keeps is lost. */
  async unplug(): Promise<void> {
    await this.#cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: await this.plugged() })
  }

  /** Whether the person touches it when it is asked. One that is touched is plugged in. */
  async touched(enabled: boolean): Promise<void> {
    if (!enabled && !this.#plugged) return
    const authenticatorId = await this.plugged()
    await this.#cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })
  }

  /** Whether finger, face or PIN are the right ones. */
  async verifies(isUserVerified: boolean): Promise<void> {
    await this.#cdp.send('WebAuthn.setUserVerified', { authenticatorId: await this.plugged(), isUserVerified })
  }

  async credentials() {
    return (await this.#cdp.send('WebAuthn.getCredentials', { authenticatorId: await this.plugged() })).credentials
  }

  /** The same key in the hands of the same person at another browser: its counter goes on where it was. */
  async moveTo(person: Person): Promise<Key> {
    const key = await person.newKey()
    for (const credential of await this.credentials()) {
      await key.#cdp.send('WebAuthn.addCredential', { authenticatorId: await key.plugged(), credential })
    }
    return key
  }
}

/** Somebody at a browser of their own. */
export class Person {
  readonly page: Page
  readonly #context: BrowserContext
  readonly #cdp: CDPSession
  readonly #complaints: string[] = []
  #refusals = 0
  #changeKeys = async () => {}
  #isExposed = false

  private constructor(context: BrowserContext, page: Page, cdp: CDPSession) {
    this.#context = context
    this.page = page
    this.#cdp = cdp
    page.on('pageerror', (error) => this.#complaints.push(`${page.url()}: ${error.message}`))
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return
      // Chromium complains about each answer of 400 and above: a test says how many of them it provokes.
      if (message.text().startsWith('Failed to load resource')) this.#refusals++
      else this.#complaints.push(`${page.url()}: ${message.text()}`)
    })
  }

  static async at(browser: Browser | undefined): Promise<Person> {
    if (!browser) throw new Error('There is no browser')
    const context = await browser.newContext({ viewport: desktop, locale: 'en-GB', timezoneId: 'Europe/Zurich' })
    context.setDefaultTimeout(10_000)
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    return new Person(context, page, cdp)
  }

  async newKey(): Promise<Key> {
    return this.#pluggedIn({ ...modern, transport: 'internal' })
  }

  /**
   * Plugged in when it is first touched. Asked for a tap that it has no key for, one that verifies its user answers at once and untouched
   * (PIN_REQUIRED to the request by which Chromium waits for a touch), and Chromium gives up, unless the right key was faster. So it must
   * not be there then.
   */
  newUsbKey(): Key {
    return new Key(this.#cdp, { ...modern, transport: 'usb' })
  }

  /** One from before CTAP2: it keeps nothing, verifies nobody, and knows a touch alone. */
  async newOldKey(): Promise<Key> {
    return this.#pluggedIn({ protocol: 'u2f', transport: 'usb', automaticPresenceSimulation: true })
  }

  async #pluggedIn(options: KeyOptions): Promise<Key> {
    const key = new Key(this.#cdp, options)
    await key.plugged()
    return key
  }

  /** Closes the browser. Whatever it complained about, and any refusal that the test did not expect, fails the test. */
  async leave({ refusals = 0 } = {}): Promise<void> {
    await this.#context.close()
    expect(this.#complaints).toEqual([])
    expect(this.#refusals).toBe(refusals)
  }

  /** What an expression comes to. By the debugger, so that the page keeps its policy on scripts. */
  async inspect(expression: string): Promise<unknown> {
    const asked = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await this.#cdp.send('Runtime.evaluate', asked)
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  button(name: string) {
    return this.page.getByRole('button', { name, exact: true })
  }

  async registerFirst(edge: Edge, name = 'Ada Lovelace'): Promise<void> {
    await this.page.goto(edge.link)
    await this.page.getByRole('textbox').first().fill(name)
    await this.button('Register a passkey').click()
    await this.page.waitForURL('**/account')
  }

  async signIn(edge: Edge): Promise<void> {
    await this.page.goto(edge.origin)
    await this.button('Sign in with a passkey').click()
    await this.page.waitForURL('**/account')
  }

  async signOut(): Promise<void> {
    await this.button('Sign out').click()
    await this.button('Sign in with a passkey').waitFor()
  }

  /** Taps `have`, then lets go of it and takes `made`, which is registered under `name`. */
  async addPasskey(name: string, have: Key, made: Key): Promise<void> {
    await this.askToAdd('passkey', name, have, made)
    await this.page.getByRole('heading', { name, exact: true }).waitFor()
  }

  async addSecurityKey(name: string, have: Key, made: Key): Promise<void> {
    await this.page.getByRole('radio', { name: /^Security key/ }).check()
    await this.askToAdd('security key', name, have, made)
    await this.page.getByRole('heading', { name, exact: true }).waitFor()
  }

  /** As far as the answer. */
  async askToAdd(kind: 'passkey' | 'security key', name: string, have: Key, made: Key): Promise<void> {
    await have.touched(true)
    await made.touched(false)
    await this.beforeMaking(async () => {
      await have.touched(false)
      await made.touched(true)
    })
    await this.page.getByRole('textbox', { name: `Name of the new ${kind}` }).fill(name)
    await this.button(`Add a ${kind}`).click()
  }

  /** What the edge answers at `path` the next time reaches the page changed. */
  async changeAnswer(path: string, change: (json: Record<string, { [name: string]: unknown }>) => void): Promise<void> {
    await this.page.route(
      `**${path}`,
      async (route) => {
        const response = await route.fetch()
        const json = await response.json()
        change(json)
        await route.fulfill({ response, json })
      },
      { times: 1 },
    )
  }

  /** Runs `work` each time when a page is about to ask for a new passkey: the moment when a person changes keys. */
  async beforeMaking(work: () => Promise<void>): Promise<void> {
    this.#changeKeys = work
    if (!this.#isExposed) await this.page.exposeFunction('changeKeys', () => this.#changeKeys())
    this.#isExposed = true
    await this.page.evaluate(`{
      const make = navigator.credentials.create.bind(navigator.credentials)
      navigator.credentials.create = async (options) => { await changeKeys(); return make(options) }
    }`)
  }
}

export const phone = { width: 390, height: 844 }
export const desktop = { width: 1280, height: 800 }
const pictures = join(root, 'tests', '.artifacts')

/**
 * A picture of the page as it stands, on a phone and a desktop, light and dark. Nothing may be wider than the window, and axe-core must
 * find nothing, on a phone in the light and on a desktop in the dark: so every state of every page that has a picture is checked.
 */
export async function picture(person: Person, name: string): Promise<void> {
  const { page } = person
  mkdirSync(pictures, { recursive: true })
  // A dialog covers the window, not the whole page.
  const hasDialog = await page.getByRole('dialog').isVisible()
  for (const [size, viewport] of Object.entries({ phone, desktop })) {
    await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const path = join(pictures, `${name}-${size}-${colorScheme}.png`)
      await page.screenshot({ path, fullPage: !hasDialog, animations: 'disabled' })
      if ((size === 'phone') !== (colorScheme === 'light')) continue
      expect(await accessibilityProblems(person), `${name} on a ${size}, ${colorScheme}`).toEqual([])
    }
    expect(await page.evaluate('document.documentElement.scrollWidth'), `${name} on a ${size}`).toBe(viewport.width)
    expect(await smallTargets(page), `${name} on a ${size}`).toEqual([])
  }
}

/** What can be pressed and is below 44 px in either direction. A link within a sentence may be as small as its words. */
const smallTargets = (page: Page): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('button, input, summary, a.button')]
    .filter((target) => target.checkVisibility())
    .map((target) => ({ text: target.textContent, box: target.getBoundingClientRect() }))
    .filter(({ box }) => box.height < 44 || box.width < 44)
    .map(({ text, box }) => text + ' ' + box.width + ' x ' + box.height)`)
