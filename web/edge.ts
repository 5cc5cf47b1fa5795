/** Calling the edge: JSON both ways, on this origin, with this browser's cookies. */

/** What the edge says instead of an answer. `message` is for the person. */
export class EdgeProblem extends Error {
  override readonly name = 'EdgeProblem'
  readonly word: string
  readonly requestId: string | undefined

  constructor(
    word: string,
    message: string,
    { requestId, cause }: { requestId?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.word = word
    this.requestId = requestId
  }
}

interface Refused {
  readonly error?: string
  readonly message?: string
  readonly request_id?: string
}

/** @throws EdgeProblem; its word is `unreachable` where no answer came that is the edge's. */
export async function post<T>(path: string, body: object): Promise<T> {
  const response = await send(path, JSON.stringify(body))
  const json: unknown = await response.json().catch(() => undefined)
  if (response.ok && json !== undefined) return json as T
  const { error, message, request_id = '' } = (json ?? {}) as Refused
  if (error !== undefined && message !== undefined) throw new EdgeProblem(error, message, { requestId: request_id })
  throw new EdgeProblem('unreachable', `Something between here and the server answered ${response.status}. Try again.`)
}

async function send(path: string, body: string): Promise<Response> {
  try {
    const headers = { 'Content-Type': 'application/json' }
    return await fetch(path, { method: 'POST', headers, body, credentials: 'same-origin', cache: 'no-store' })
  } catch (cause) {
    throw new EdgeProblem('unreachable', 'The server cannot be reached. Check the connection, then try again.', {
      cause,
    })
  }
}

/** What every finished ceremony answers. */
export interface Finished {
  readonly location: string
}
