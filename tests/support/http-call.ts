export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  /** Parsed JSON; null for an empty body. */
  readonly body: unknown
}

const answerWithinMs = 20_000

/** One request with Node's own client; a body is sent as JSON, a token in `authorization`. */
export async function httpCall(
  url: string,
  method = 'GET',
  body?: object,
  token?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(answerWithinMs),
    headers: {
      ...headers,
      ...(body && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const parsed: unknown = text === '' ? null : JSON.parse(text)
  return { status: response.status, headers: response.headers, body: parsed }
}
