import type { CounterCell, GaugeCell } from '../base/cells.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Position } from './broker.ts'

/** What the hub counts, with any broker. */
export interface HubInstruments {
  readonly taken: CounterCell
  readonly refused: CounterCell
  readonly delivered: CounterCell
  readonly gaps: CounterCell
  /** Counts an answer to `subscribe`, which named the position `since`. */
  answered(since: Position | null, recovered: boolean): void
  /** Events of topics with `slow: 'latest'`. */
  readonly replaced: CounterCell
  readonly subscriptions: GaugeCell
  readonly presenceMembers: GaugeCell
}

export function createHubInstruments(instruments: Instruments): HubInstruments {
  const publications = instruments.counter(
    'hub_publications_total',
    'Publications of this process: taken by the broker, or refused',
    {
      result: ['taken', 'refused'],
    },
  )
  const recoveries = instruments.counter(
    'hub_subscribes_total',
    'Answers to subscribe: everything since the position of the client was delivered (recovered), or not (not_recovered), or the client named none (not_asked)',
    { result: ['recovered', 'not_recovered', 'not_asked'] },
  )
  const counter = (name: string, help: string): CounterCell => instruments.counter(name, help).cell()
  const recovered = recoveries.cell({ result: 'recovered' })
  const notRecovered = recoveries.cell({ result: 'not_recovered' })
  const notAsked = recoveries.cell({ result: 'not_asked' })
  const taken = publications.cell({ result: 'taken' })
  const refused = publications.cell({ result: 'refused' })
  return {
    taken,
    refused,
    delivered: counter(
      'hub_deliveries_total',
      'Publications that this process delivered to its connections, each once, however many they are',
    ),
    gaps: counter('hub_gaps_total', 'Losses in a stream of which its subscribed connections were told by gap'),
    answered(since, isRecovered) {
      if (since === null) notAsked.inc()
      else (isRecovered ? recovered : notRecovered).inc()
    },
    replaced: counter(
      'hub_replaced_events_total',
      "Events for slow clients that a newer one of the same key has replaced (topics with slow: 'latest')",
    ),
    subscriptions: instruments
      .gauge(
        'hub_subscriptions',
        'Streams that connections receive with positions; a connection in two topics counts twice',
      )
      .cell(),
    presenceMembers: instruments
      .gauge(
        'hub_presence_members',
        'Connections of this process that are members of topics with presence; one in two topics counts twice',
      )
      .cell(),
  }
}
