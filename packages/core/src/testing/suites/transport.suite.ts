import type { TestRunner } from '../test-runner.ts'
import { bodiesSuite } from './transport/bodies.suite.ts'
import { bufferedAnswersSuite } from './transport/buffered-answers.suite.ts'
import { createTransportFixture, type TransportSubject } from './transport/fixture.ts'
import { flushingSuite } from './transport/flushing.suite.ts'
import { headerFieldsSuite } from './transport/header-fields.suite.ts'
import { listeningSuite } from './transport/listening.suite.ts'
import { publishingSuite } from './transport/publishing.suite.ts'
import { responsesSuite } from './transport/responses.suite.ts'
import { sizedAnswersSuite } from './transport/sized-answers.suite.ts'
import { socketLimitsSuite } from './transport/socket-limits.suite.ts'
import { socketsSuite } from './transport/sockets.suite.ts'
import { streamedBodiesSuite } from './transport/streamed-bodies.suite.ts'
import { twoWayBodiesSuite } from './transport/two-way-bodies.suite.ts'
import { upgradesSuite } from './transport/upgrades.suite.ts'

/**
 * Tests that every transport must pass: the contract of the port `Transport`. A test takes up to some seconds.
 *
 * @example
 * import * as vitest from 'vitest'
 * vitest.describe('my transport', () => {
 *   transportSuite(vitest, { createTransport: myTransport, createClient: (_, port) => networkRawClient({ port }) })
 * })
 */
export function transportSuite(runner: TestRunner, subject: TransportSubject): void {
  const fixture = createTransportFixture(runner, subject)
  listeningSuite(runner, fixture)
  upgradesSuite(runner, fixture)
  socketsSuite(runner, fixture)
  socketLimitsSuite(runner, fixture)
  publishingSuite(runner, fixture)
  bodiesSuite(runner, fixture)
  streamedBodiesSuite(runner, fixture)
  twoWayBodiesSuite(runner, fixture)
  headerFieldsSuite(runner, fixture)
  responsesSuite(runner, fixture)
  bufferedAnswersSuite(runner, fixture)
  sizedAnswersSuite(runner, fixture)
  flushingSuite(runner, fixture)
}
