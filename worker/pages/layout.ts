/** What all pages share: the frame, and how a page says what is asked. No data is ever `raw`: `html` escapes it. */
import { html } from 'hono/html'

export type AssetName =
  | 'style.css'
  | 'mark.svg'
  | 'sign-in.js'
  | 'first-administrator.js'
  | 'recover.js'
  | 'invite.js'
  | 'account.js'
  | 'authorize.js'
  | 'approve.js'
  | 'device.js'
  | 'users.js'

export interface Assets {
  url(name: AssetName): string
}

export type Html = ReturnType<typeof html>

interface Page {
  readonly cluster: string
  readonly title: string
  readonly script?: AssetName
  /** What stands at the end of the top line. */
  readonly corner?: Html
  readonly body: Html
}

export const page = (assets: Assets, { cluster, title, script, corner, body }: Page): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} – ${cluster}</title>
<link rel="icon" href="${assets.url('mark.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${assets.url('style.css')}">
${script && html`<script type="module" src="${assets.url(script)}"></script>`}
</head>
<body>
<header class="top">
<img src="${assets.url('mark.svg')}" width="32" height="32" alt="">
<span>Sallyport</span>
${corner && html`<div class="corner">${corner}</div>`}
</header>
<main>
${body}
</main>
</body>
</html>`

/** The act in small, the thing that it is about in large: a person in a hurry reads the large words. */
export const heading = (act: string, thing: Html | string): Html =>
  html`<h1 id="heading" tabindex="-1"><span class="act">${act}</span> <span class="thing">${thing}</span></h1>`

/** What is asked, what happens next, how to say no: the same words at the same place on every page. */
export const terms = (entries: readonly (readonly [term: string, text: Html | string])[]): Html =>
  html`<dl class="terms">${entries.map(([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>`)}</dl>`

/** Where a script tells progress (spoken when the reader is idle) and errors (spoken at once). */
export const status = (id: string): Html =>
  html`<div class="status" id="${id}"><p class="progress" role="status"></p><p class="problem" role="alert"></p></div>`

export const refuseButton = html`<button type="button" id="refuse" aria-describedby="heading">Refuse</button>`

/** Both answers of a page that asks for a tap: the same words at the same place, so that nobody has to look for the one that says no. */
export const approveOrRefuse = (): Html => html`<p class="actions">
${refuseButton}
<button class="primary" type="button" id="approve" aria-describedby="heading">Approve with a passkey</button>
</p>
${status('approve-status')}`

/** A password's box, and the button that shows what is typed in it. */
export const passwordBox = (input: Html): Html =>
  html`<div class="secret">${input}<button type="button" data-shows aria-pressed="false" aria-label="Show the password">Show</button></div>`

export const needsScript = (why: string): Html =>
  html`<noscript><p class="notice">${why} Allow JavaScript for this address, then reload the page.</p></noscript>`
