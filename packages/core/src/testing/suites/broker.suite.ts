import type { TestRunner } from '../test-runner.ts'
import { clusterTests } from './broker/cluster.ts'
import { deliveryTests } from './broker/delivery.ts'
import { historyTests } from './broker/history.ts'
import { type BrokerSubject, createBrokerTests } from './broker/processes.ts'

export type { BrokerSubject }

/**
 * Tests that every broker must pass: delivery to the processes that subscribe, each publication once and in the order of its stream;
 * positions and history; presence, control messages and nodes.
 *
 * @example
 * import * as vitest from 'vitest'
 * brokerSuite(vitest, { createBroker: memoryBroker, oneProcess: true })
 */
export function brokerSuite(runner: TestRunner, subject: BrokerSubject): void {
  const tests = createBrokerTests(runner, subject)
  deliveryTests(tests)
  historyTests(tests)
  clusterTests(tests)
}
