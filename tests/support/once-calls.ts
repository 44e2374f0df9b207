import type { AppManifest } from '@twinwire/core'
import type { TestApp } from '@twinwire/core/testing'

export const oncePkgIds = {
  MARK: 1,
  OTHER: 2,
  REMOVE: 3,
  SECRET: 4,
  LARGE: 5,
  STRICT: 6,
  REPLIES: 7,
  PAGES: 8,
  HANG: 9,
  TALLY: 10,
  FAIL_FIRST: 11,
  STREAMS: 12,
  MARKED: 100,
} as const

export interface OnceAnswer {
  /** 0 to 3; of HTTP by its status. */
  readonly ok: boolean
  /** Of HTTP; null over WebSocket. */
  readonly status: number | null
  readonly data: unknown
  readonly meta: unknown
  readonly headers: Readonly<Record<string, string>>
}

export interface OnceCall {
  readonly wire: 'ws' | 'http'
  readonly route: Exclude<keyof typeof oncePkgIds, 'MARKED'>
  readonly input: Readonly<Record<string, unknown>>
  /** `req_id`, or the header; null: none. */
  readonly key: string | null
  readonly who?: string
}

/** Calls over either wire, by the same key. */
export function createOnceCaller(
  test: Pick<TestApp<never, never>, 'connect' | 'request'> & { readonly app: { manifest(): AppManifest } },
) {
  return async ({ wire, route: name, input, key, who = 'ann' }: OnceCall): Promise<OnceAnswer> => {
    const authorization = `Bearer ${who}`
    if (wire === 'http') {
      const [method = '', path = ''] = test.app.manifest().routes[name]?.http?.split(' ') ?? []
      const headers = { authorization, ...(key !== null && { 'idempotency-key': key }) }
      const target = `${method} ${path.replace(/:(\w+)/, (_, part: string) => String(input[part]))}`
      const answer = await test.request(target, { headers, ...(method === 'POST' && { json: input }) })
      const data = answer.text === '' ? null : parse(answer.text)
      return {
        ok: answer.status < 300,
        status: answer.status,
        data: answer.status < 300 ? data : Object(data).error,
        meta: null,
        headers: Object.fromEntries(Object.entries(answer.headers).map(([each, value]) => [each, String(value)])),
      }
    }
    const socket = await test.connect({ headers: { authorization } })
    try {
      socket.send(JSON.stringify({ pkg_id: oncePkgIds[name], req_id: key, data: input }))
      for (;;) {
        const frame = JSON.parse(String((await socket.next(30_000)).data))
        if (frame.status_code === undefined) continue
        return { ok: frame.status_code === 0, status: null, data: frame.data, meta: frame.meta, headers: {} }
      }
    } finally {
      socket.terminate()
    }
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
