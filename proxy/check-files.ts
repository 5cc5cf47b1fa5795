/** What `check` reads besides the file itself: the certificates that it names, each mistake told at the line that names it. */
import { into, type Place, quoted, tell } from '../core/access/place.ts'
import type { Instant } from '../core/model.ts'
import { SetupProblem } from '../core/setup-problem.ts'
import { type Book, compileBook, type Entry } from './certificate-book.ts'
import { filesOf, type NamedFiles, readEntry, tellTwice } from './certificate-files.ts'
import { parseCertificate, readOwn, readPem } from './certificates.ts'
import type { Settings } from './config.ts'
import { type StaticRoute, showsOwn } from './routes.ts'

/** `place`: of the whole file. */
export function checkCertificates(settings: Settings, place: Place, now: Instant): void {
  const files = filesOf(settings)
  const entries = files.flatMap((one) => attempt(placeOf(one, place), () => readEntry(one, now)) ?? [])
  const book = compileBook(entries)
  for (const twice of book.twice) tell(placeOf(twice.second, place), tellTwice(twice))
  // Where one cannot be read, what the others do not cover is no news.
  if (files.length > 0 && entries.length === files.length) checkCovered(settings, book, place)
  if (settings.acme?.caFile !== undefined) checkAuthorities(settings.acme.caFile, into(into(place, 'acme'), 'ca_file'))
  settings.routes.forEach((route, at) => void checkRoute(route, into(into(place, 'routes'), at), now))
}

function attempt<T>(place: Place, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error
    tell(place, `${error.message}: ${error.hint}`)
    return undefined
  }
}

/** `cert`, or `certificates[2]` (proxy/certificate-files.ts). */
function placeOf({ label }: Pick<NamedFiles | Entry, 'label'>, place: Place): Place {
  const [, at] = /^certificates\[(\d+)\]$/.exec(label) ?? []
  return at === undefined ? into(place, label) : into(into(place, 'certificates'), Number(at))
}

/** `localhost` is every proxy's, and no public authority's. */
function checkCovered(settings: Settings, book: Book, place: Place): void {
  const { names, routes, acme } = settings
  const isCovered = (name: string) =>
    name === 'localhost' || acme?.names.includes(name) || book.certificateFor(name) !== undefined
  const told = (name: string) => `no certificate speaks for ${quoted(name)}`
  for (const name of names.dns) if (!isCovered(name)) tell(into(place, 'names'), told(name))
  routes.forEach((route, at) => {
    if (!showsOwn(route)) return
    route.sni.forEach((name, which) => {
      const here = into(into(into(into(place, 'routes'), at), 'sni'), which)
      if (name !== '*' && !isCovered(name)) tell(here, told(name))
    })
  })
}

function checkRoute({ certificate, clientCa }: StaticRoute, place: Place, now: Instant): void {
  if (certificate) attempt(into(place, 'cert'), () => readOwn(certificate, now))
  if (clientCa !== undefined) checkAuthorities(clientCa, into(place, 'client_ca'))
}

const checkAuthorities = (file: string, place: Place): void =>
  void attempt(place, () => parseCertificate(file, readPem(file)))
