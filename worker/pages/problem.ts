import { html } from 'hono/html'
import { type Assets, type Html, heading, page, terms } from './layout.ts'

interface Problem {
  readonly cluster: string
  readonly status: number
  readonly title: string
  /** May be empty: some refusals say no more than what to do. */
  readonly message: string
  readonly remedy: string
  readonly requestId: string
}

export const problemPage = (assets: Assets, { cluster, status, title, message, remedy, requestId }: Problem): Html =>
  page(assets, {
    cluster,
    title,
    body: html`
${heading(`${cluster} answered ${status}`, title)}
<p class="lead">${message} ${remedy}</p>
<p><a class="button" href="/">Go to the start page</a></p>
${terms([['Request', html`<code>${requestId}</code><br>With this id the operator finds what happened in the log.`]])}`,
  })
