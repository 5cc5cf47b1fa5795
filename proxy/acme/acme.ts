/** Certificates by ACME for names of this proxy: which there are, which are due, and what becomes of those that do not come. */
import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { issueChallengeCertificate, requestCertificate } from '../../core/issue/acme.ts'
import { type Duration, hours, type Instant, minutes } from '../../core/model.ts'
import type { CertificateFor } from '../certificate-book.ts'
import { readPem, type ServerCertificate } from '../certificates.ts'
import type { AcmeSettings } from '../config.ts'
import type { World } from '../exchange.ts'
import type { Expiries } from '../expiry.ts'
import { Challenges } from './challenges.ts'
import { AcmeClient } from './client.ts'
import { AcmeFailure } from './failure.ts'
import { makeSend } from './send.ts'
import { AcmeStore, type Kept, keptOf, pemOf } from './store.ts'

export interface Acme {
  readonly challenges: Challenges
  readonly certificateFor: CertificateFor
  /** Orders what is due, one name after the other. Never rejects; a call while it does so waits for that. */
  look(): Promise<void>
  stop(): void
}

interface Needs {
  readonly world: World
  readonly home: string
  readonly expiries: Expiries
}

/** Let's Encrypt's own advice, with up to a twentieth of a life more, so that not all come at once. */
const renewalShare = 2 / 3
const renewalSpread = 1 / 20
/** Doubled with each failure, and then half of it up to one and a half of it. */
const firstPause: Duration = minutes(1)
const longestPause: Duration = hours(6)
const longestRetryAfter: Duration = hours(24)

interface Name {
  readonly name: string
  shown: (Kept & { readonly certificate: ServerCertificate; readonly renewAt: Instant }) | undefined
  failures: number
  notBefore: Instant
}

/** @throws SetupProblem */
export async function openAcme(settings: AcmeSettings, needs: Needs): Promise<Acme> {
  const keeper = new Keeper(settings, needs)
  await keeper.open()
  return keeper
}

class Keeper implements Acme {
  readonly challenges: Challenges
  readonly #settings: AcmeSettings
  readonly #needs: Needs
  readonly #store: AcmeStore
  readonly #names: ReadonlyMap<string, Name>
  readonly #stopping = new AbortController()
  readonly #ca: string | undefined
  #looking: Promise<void> | undefined

  constructor(settings: AcmeSettings, needs: Needs) {
    this.#settings = settings
    this.#needs = needs
    this.challenges = new Challenges(needs.world.log)
    this.#store = new AcmeStore(needs.home, settings.directory)
    this.#ca = settings.caFile === undefined ? undefined : readPem(settings.caFile)
    const untried = { shown: undefined, failures: 0, notBefore: 0 }
    this.#names = new Map(settings.names.map((name) => [name, { name, ...untried }]))
  }

  async open(): Promise<void> {
    // What cannot be kept must be known now, not when a certificate has come.
    await this.#store.account()
    for (const one of this.#names.values()) {
      const kept = this.#store.find(one.name)
      if (kept && kept.leaf.validToDate.getTime() > this.#needs.world.now()) this.#show(one, kept)
    }
  }

  readonly certificateFor = (name: string): ServerCertificate | undefined => this.#names.get(name)?.shown?.certificate

  look(): Promise<void> {
    this.#looking ??= this.#tend().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #tend(): Promise<void> {
    for (const one of this.#names.values()) {
      if (!this.#stopping.signal.aborted && this.#isDue(one)) await this.#renew(one)
    }
  }

  stop(): void {
    this.#stopping.abort()
  }

  #isDue({ shown, notBefore }: Name): boolean {
    const now = this.#needs.world.now()
    return now >= notBefore && (shown === undefined || now >= shown.renewAt)
  }

  async #renew(one: Name): Promise<void> {
    const { log } = this.#needs.world
    try {
      const kept = await this.#obtain(one.name)
      this.#store.keep(one.name, kept)
      this.#show(one, kept)
      one.failures = 0
      log({
        level: 'info',
        message: 'acme certificate issued',
        name: one.name,
        until: kept.leaf.validToDate.toISOString(),
      })
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#postpone(one, error as Error)
    }
  }

  #postpone(one: Name, error: Error): void {
    const { now, log } = this.#needs.world
    const retryAfter = error instanceof AcmeFailure ? (error.retryAfter ?? 0) : 0
    const pause = Math.min(firstPause * 2 ** one.failures, longestPause) * (0.5 + this.#chance())
    one.failures++
    one.notBefore = now() + Math.max(pause, Math.min(retryAfter, longestRetryAfter))
    log({
      level: 'error',
      message: one.shown ? 'acme certificate not renewed: the one before stays' : 'acme certificate not issued',
      name: one.name,
      detail: error.message,
      again: new Date(one.notBefore).toISOString(),
    })
  }

  /** @throws AcmeFailure */
  async #obtain(name: string): Promise<Kept> {
    const { signal } = this.#stopping
    const { directory, email } = this.#settings
    const wait = (ms: Duration) => sleep(ms, undefined, { signal, ref: false })
    const key = await this.#store.account()
    const client = new AcmeClient({ send: makeSend(this.#ca, signal), key, directory, email, wait })
    await client.begin()
    const { csr, keys } = await requestCertificate(name)
    const chain = await client.order(name, csr, (of, authorization) => this.#open(of, authorization))
    const kept = keptOf(name, chain, pemOf(keys.privateKey))
    if (!kept) throw new AcmeFailure('it gave a certificate that is not for this name and key')
    if (kept.leaf.validToDate.getTime() <= this.#needs.world.now())
      throw new AcmeFailure('it gave a certificate that has expired: is the clock of this machine right?')
    return kept
  }

  async #open(name: string, authorization: string): Promise<() => void> {
    const { certificate, keys } = await issueChallengeCertificate(this.#needs.world, name, authorization)
    const cert = new X509Certificate(certificate).toString()
    return this.challenges.open(name, { cert, key: pemOf(keys.privateKey) })
  }

  #show(one: Name, kept: Kept): void {
    const { validFromDate: from, validToDate: to } = kept.leaf
    const share = renewalShare + renewalSpread * this.#chance()
    const renewAt = from.getTime() + (to.getTime() - from.getTime()) * share
    one.shown = { ...kept, certificate: { cert: kept.cert, key: kept.key }, renewAt }
    this.#needs.expiries.set(`acme:${one.name}`, kept.cert)
  }

  /** From 0 up to 1. */
  #chance(): number {
    return (this.#needs.world.random(1)[0] as number) / 256
  }
}
