import type { CounterCell, GaugeCell, Instruments } from '@twinwire/core/plugin'

/** What the broker counts. */
export interface BrokerCells {
  readonly published: CounterCell
  readonly refused: CounterCell
  readonly delivered: CounterCell
  readonly filled: CounterCell
  readonly lost: CounterCell
  readonly probesAnswered: CounterCell
  readonly probesLost: CounterCell
  readonly replaced: CounterCell
  readonly nodes: GaugeCell
}

export function createBrokerCells(instruments: Instruments): BrokerCells {
  const publications = instruments.counter(
    'broker_publications_total',
    'Publications handed to Redis: taken, or refused, also for want of an answer',
    {
      result: ['taken', 'refused'],
    },
  )
  const probes = instruments.counter(
    'broker_subscriber_probes_total',
    'Messages of this node to itself, which show that it receives',
    { result: ['received', 'lost'] },
  )
  const counter = (name: string, help: string): CounterCell => instruments.counter(name, help).cell()
  return {
    published: publications.cell({ result: 'taken' }),
    refused: publications.cell({ result: 'refused' }),
    delivered: counter('broker_deliveries_total', 'Publications delivered to this node'),
    filled: counter('broker_filled_total', 'Publications that this node had missed and read from the history'),
    lost: counter('broker_gaps_total', 'Losses in streams that this node receives, which the history could not fill'),
    probesAnswered: probes.cell({ result: 'received' }),
    probesLost: probes.cell({ result: 'lost' }),
    replaced: counter(
      'broker_subscriber_replacements_total',
      'Subscriber connections that did not answer and were replaced',
    ),
    nodes: instruments.gauge('broker_nodes', 'Nodes of the app that live', {}, { combine: 'max' }).cell(),
  }
}
