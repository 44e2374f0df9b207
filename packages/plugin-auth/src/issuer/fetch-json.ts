import type { Clock } from '@twinwire/core'

export interface FetchLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly clock: Clock
  /** Cancels the request. */
  readonly signal: AbortSignal
}

/** A document could not be read. The message contains its address and none of its content. */
export class FetchError extends Error {
  override readonly name = 'FetchError'
}

/**
 * Reads a JSON document: status 200, no redirect (it could change the host), within the limits of size and time. Rejects with a
 * FetchError.
 */
export async function fetchJson(url: URL, { timeoutMs, maxBytes, clock, signal }: FetchLimits): Promise<unknown> {
  const place = `${url.origin}${url.pathname}`
  const timeout = new AbortController()
  const timer = clock.timer(timeoutMs, () =>
    timeout.abort(new FetchError(`${place} did not respond within ${timeoutMs} ms`)),
  )
  try {
    const response = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.any([timeout.signal, signal]),
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new FetchError(`${place} responded with status ${response.status}`)
    }
    return parse(await readText(response, maxBytes, place), place)
  } catch (error) {
    if (error instanceof FetchError) throw error
    throw new FetchError(`${place} could not be read`, { cause: error })
  } finally {
    timer.cancel()
  }
}

async function readText(response: Response, maxBytes: number, place: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new FetchError(`${place} responded with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The error of JSON.parse quotes its input.
    throw new FetchError(`${place} did not respond with JSON`)
  }
}
