import { type CounterCell, GaugeCell } from '../base/cells.ts'
import { type Instruments, unmatchedLabel } from '../base/instruments.ts'
import { errorCodes } from '../errors/codes.ts'
import type { CallOutcome } from './call-outcome.ts'

const httpBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const webSocketBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** `handler` of `app_errors_total` for everything that came as a package. */
const webSocketHandler = 'websocket'
/** Methods that have their own series where no route matches. */
const usualMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The routes of an app. Their names are the labels, so the number of series is bounded. */
export interface CountedRoutes {
  readonly pkgIds: readonly string[]
  readonly endpoints: readonly string[]
  readonly methods: readonly string[]
  /** Of errors that the application has defined. */
  readonly errorCodes: readonly string[]
}

/** Counts the calls of one route over HTTP. */
export interface HttpCounter {
  readonly inProgress: GaugeCell
  count(outcome: CallOutcome): void
}

/** The instruments of calls, created once the routes are known. */
export interface CallInstruments {
  /** Counts the calls of one package; `unmatched` for those that no route handles. */
  webSocket(pkgId: string): (outcome: CallOutcome) => void
  /** Counts the calls of one method and pattern. */
  http(method: string, endpoint: string): HttpCounter
  /** The same; its series begin with the first request. */
  lazyHttp(method: string, endpoint: string): HttpCounter
  /** Counts requests that no route handles, or that were rejected before routing. Returns the same counter for the same method. */
  unmatchedHttp(method: string): HttpCounter
  /** A frame was answered with an error and did not become a call. */
  refusedFrame(code: string): void
}

export function createCallInstruments(instruments: Instruments, routes: CountedRoutes): CallInstruments {
  const statusCodes = Array.from({ length: 500 }, (_, i) => String(i + 100))
  const methods = [...new Set([...routes.methods, ...usualMethods, unmatchedLabel])]
  const labels = { method: methods, endpoint: [...routes.endpoints, unmatchedLabel] }
  const duration = instruments.histogram(
    'ws_message_processing_duration_seconds',
    'Time from a package to its reply',
    webSocketBuckets,
    { pkg_id: [...routes.pkgIds, unmatchedLabel] },
  )
  const requests = instruments.counter(
    'http_requests_total',
    'HTTP requests by outcome; endpoint is the pattern of the route, and status_code 499 a client that disconnected before the response',
    {
      ...labels,
      status_code: statusCodes,
    },
  )
  const requestDuration = instruments.histogram(
    'http_request_duration_seconds',
    'Time from a request to its answer',
    httpBuckets,
    labels,
  )
  const inProgress = instruments.gauge(
    'http_requests_in_progress',
    'HTTP requests that have not been answered yet',
    labels,
  )
  const codes = [...new Set([...Object.keys(errorCodes), ...routes.errorCodes])]
  const errors = instruments.counter(
    'app_errors_total',
    'Error responses to calls and frames, by code; handler is the pattern of the route, or websocket',
    {
      error_type: [...codes, unmatchedLabel],
      handler: [...labels.endpoint, webSocketHandler],
    },
  )

  function errorsOf(handler: string): (code: string) => void {
    const byCode = new Map<string, CounterCell>()
    return (code) => {
      // Most handlers never fail, and none has every error: a cell is created when it is needed.
      const error_type = codes.includes(code) ? code : unmatchedLabel
      let cell = byCode.get(error_type)
      if (cell === undefined) {
        cell = errors.cell({ error_type, handler })
        byCode.set(error_type, cell)
      }
      cell.inc()
    }
  }

  function count(method: string, endpoint: string): HttpCounter['count'] {
    const time = requestDuration.cell({ method, endpoint })
    const countError = errorsOf(endpoint)
    const byStatus = new Map<number, CounterCell>()
    return ({ httpStatus, durationMs, error }) => {
      time.observe(durationMs / 1000)
      let cell = byStatus.get(httpStatus)
      if (cell === undefined) {
        cell = requests.cell({ method, endpoint, status_code: String(httpStatus) })
        byStatus.set(httpStatus, cell)
      }
      cell.inc()
      if (error !== null) countError(error.code)
    }
  }

  const unmatched = new Map<string, HttpCounter>()
  const http: CallInstruments['http'] = (method, endpoint) => ({
    inProgress: inProgress.cell({ method, endpoint }),
    count: count(method, endpoint),
  })

  const frameErrors = errorsOf(webSocketHandler)
  return {
    webSocket(pkg_id) {
      const cell = duration.cell({ pkg_id })
      return ({ durationMs, error }) => {
        cell.observe(durationMs / 1000)
        if (error !== null) frameErrors(error.code)
      }
    },
    http,
    lazyHttp: (method, endpoint) => new LazyCounter(() => http(method, endpoint)),
    unmatchedHttp(method) {
      let counter = unmatched.get(method)
      if (counter === undefined) {
        if (!methods.includes(method)) return this.unmatchedHttp(unmatchedLabel)
        // Such a request is rejected at once: it is never in progress, and needs no series for that.
        counter = { inProgress: new GaugeCell(), count: count(method, unmatchedLabel) }
        unmatched.set(method, counter)
      }
      return counter
    },
    refusedFrame: frameErrors,
  }
}

class LazyCounter implements HttpCounter {
  readonly #create: () => HttpCounter
  #counter: HttpCounter | null = null

  constructor(create: () => HttpCounter) {
    this.#create = create
  }

  get inProgress(): GaugeCell {
    return this.#get().inProgress
  }

  count(outcome: CallOutcome): void {
    this.#get().count(outcome)
  }

  #get(): HttpCounter {
    this.#counter ??= this.#create()
    return this.#counter
  }
}

/** Counts calls that ended after they had been answered with `outcome_unknown`. */
export function countLateOutcomes(instruments: Instruments): (succeeded: boolean) => void {
  const late = instruments.counter(
    'app_late_outcomes_total',
    'Calls that were answered with outcome_unknown and ended later, by how they ended',
    { outcome: ['succeeded', 'failed'] },
  )
  const [succeeded, failed] = [late.cell({ outcome: 'succeeded' }), late.cell({ outcome: 'failed' })]
  return (isSuccess) => (isSuccess ? succeeded : failed).inc()
}
