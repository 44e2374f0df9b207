// A WebSocket and a fetch that are those of the browser, and tell what goes through them.
import { fieldsOf, numberOf, textOf } from '../model/json.ts'
import { bytesOf, type FrameLog } from './frames.ts'

/** Of one call: how it went over its wire. */
export interface Trace {
  readonly name: string
  readonly wire: 'http' | 'ws'
  /** Over WebSocket. */
  readonly pkgId: number | null
  reqId: string | null
  /** Of the reply. */
  statusCode: number | null
  httpStatus: number | null
  meta: unknown
}

/** Finds the frames of calls: the first frame of a call that waits for one is its own. */
export class Traces {
  readonly #open = new Set<Trace>()

  begin(name: string, wire: Trace['wire'], pkgId: number | null): Trace {
    const trace: Trace = { name, wire, pkgId, reqId: null, statusCode: null, httpStatus: null, meta: null }
    this.#open.add(trace)
    return trace
  }

  end(trace: Trace): void {
    this.#open.delete(trace)
  }

  sent(wire: Trace['wire'], pkgId: number | null, reqId: string): void {
    for (const trace of this.#open) {
      if (trace.reqId === reqId) return
      if (trace.reqId !== null || trace.wire !== wire || trace.pkgId !== pkgId) continue
      trace.reqId = reqId
      return
    }
  }

  of(reqId: string): Trace | undefined {
    return [...this.#open].find((each) => each.reqId === reqId)
  }
}

export function recordingSocket(frames: FrameLog, traces: Traces): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL) {
      super(url)
      this.addEventListener('open', () => frames.add('ws', 'out', `connected to ${url}`, null))
      this.addEventListener('close', ({ code, reason }) => frames.add('ws', 'in', `closed: ${code} ${reason}`, null))
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string') return frames.add('ws', 'in', '(binary)', null)
        const { req_id, status_code, meta } = parsed(data)
        const trace = typeof req_id === 'string' && status_code !== undefined ? traces.of(req_id) : undefined
        if (trace !== undefined) {
          trace.statusCode = numberOf(status_code)
          trace.meta = meta ?? null
        }
        frames.add('ws', 'in', data, bytesOf(data))
      })
    }

    override send(data: Parameters<WebSocket['send']>[0]): void {
      const text = typeof data === 'string' ? data : '(binary)'
      const { pkg_id, req_id } = parsed(text)
      if (typeof pkg_id === 'number') traces.sent('ws', pkg_id, textOf(req_id))
      frames.add('ws', 'out', text, bytesOf(text))
      super.send(data)
    }
  }
}

export function recordingFetch(frames: FrameLog, traces: Traces): typeof fetch {
  return async (input, init = {}) => {
    const { method = 'GET', headers = {}, body } = init
    const url = new URL(input instanceof Request ? input.url : input)
    const sent = new Headers(headers)
    const reqId = sent.get('x-correlation-id') ?? ''
    traces.sent('http', null, reqId)
    const text = typeof body === 'string' ? body : ''
    const head = [`${method} ${url.pathname}${url.search}`, ...[...sent].map(([name, value]) => `${name}: ${value}`)]
    frames.add('http', 'out', [...head, ...(text === '' ? [] : ['', text])].join('\n'), bytesOf(text))
    const response = await fetch(input, init).catch((error: unknown) => {
      frames.add('http', 'in', `no answer: ${error instanceof Error ? error.message : ''}`, null)
      throw error
    })
    const trace = traces.of(reqId)
    if (trace !== undefined) trace.httpStatus = response.status
    void record(frames, response.clone())
    return response
  }
}

async function record(frames: FrameLog, response: Response): Promise<void> {
  const { status, statusText, headers } = response
  const head = [`${status} ${statusText}`.trim(), ...[...headers].map(([name, value]) => `${name}: ${value}`)]
  const isText = /^(application\/(json|problem\+json)|text\/(?!event-stream))/.test(headers.get('content-type') ?? '')
  if (!isText) {
    // A stream, or bytes: what the call returns shows it.
    await response.body?.cancel()
    frames.add('http', 'in', head.join('\n'), null)
    return
  }
  try {
    const body = await response.text()
    frames.add('http', 'in', [...head, '', body].join('\n'), bytesOf(body))
  } catch {
    frames.add('http', 'in', [...head, '', '(the answer was cut off)'].join('\n'), null)
  }
}

function parsed(text: string): ReturnType<typeof fieldsOf> {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return {}
  }
}
