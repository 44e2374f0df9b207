import type { LinkUser } from './link.ts'
import type { SocketRoute } from './simulated-socket.ts'

/**
 * The `fetch` of a simulated client. Each request is a connection of its own: a cut loses the request, or its answer after it was executed. An
 * answer arrives as a whole when the server has ended it.
 */
export function simulatedFetch(route: SocketRoute): typeof globalThis.fetch {
  return (url, init = {}) => {
    const method = init.method ?? 'GET'
    const { pathname, search } = new URL(String(url))
    const headers = { ...route.connect.headers, ...Object.fromEntries(new Headers(init.headers)) }
    return send(route, {
      method,
      path: pathname + search,
      headers,
      body: toBody(init.body),
      signal: init.signal ?? null,
    })
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | undefined
  readonly signal: AbortSignal | null
}

function send(route: SocketRoute, { method, path, headers, body, signal }: Sent): Promise<Response> {
  const { link, history, name, choose, connect } = route
  const what = `${method} ${path}`
  return new Promise((resolve, reject) => {
    const up = link.pipe()
    const down = link.pipe()
    const leaving = new AbortController()
    let isOver = false
    let stopWatching = (): void => {}
    const over = (settle: () => void): void => {
      if (isOver) return
      isOver = true
      stopWatching()
      link.remove(user)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const fail = (reason: string): void => {
      history.add(`${name} < ${what}: ${reason}`)
      over(() => reject(new TypeError('fetch failed', { cause: new Error(reason) })))
    }
    const user: LinkUser = {
      cut() {
        up.lose()
        down.lose()
        up.send(() => leaving.abort())
        down.send(() => fail('cut'))
      },
    }
    const onAbort = (): void => {
      over(() => reject(signal?.reason))
      up.send(() => leaving.abort())
    }
    link.add(user)
    signal?.addEventListener('abort', onAbort)
    up.send(() => {
      const node = choose()
      if (node?.transport == null) return down.send(() => fail('no process serves'))
      history.add(`${name} > ${node.name}: ${what} ${body ?? ''}`)
      let isKilled = false
      stopWatching = node.onKill(() => {
        isKilled = true
        down.lose()
        down.send(() => fail('cut'))
      })
      node.transport
        .request({
          method,
          path,
          headers,
          address: connect.address,
          signal: leaving.signal,
          ...(body !== undefined && { body }),
        })
        .then(
          (answer) => {
            if (isKilled) return
            down.send(() => {
              const text = Buffer.from(answer.body).toString()
              history.add(`${name} < ${node.name}: ${what}: ${answer.status} ${text}`)
              over(() => resolve(toResponse(answer)))
            })
          },
          (error: unknown) => {
            if (!isKilled) down.send(() => fail(String(error)))
          },
        )
    })
  })
}

function toResponse({
  status,
  headers,
  body,
}: {
  status: number
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}): Response {
  const isEmpty = status === 204 || status === 304
  return new Response(isEmpty ? null : body.slice(), { status, headers })
}

function toBody(body: RequestInit['body']): string | undefined {
  if (body === null || body === undefined) return undefined
  if (typeof body !== 'string') throw new TypeError('A simulated client sends strings as bodies')
  return body
}
