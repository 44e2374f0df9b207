/**
 * Tests of apps and plugins: an app without sockets, clients, a virtual clock, simulations, suites.
 *
 * @packageDocumentation
 */
export { CallError } from './testing/answers.ts'
export {
  createTestApp,
  type TestApp,
  type TestAppOptions,
  type TestConnect,
  type TransportName,
} from './testing/create-test-app.ts'
export { fakeIdentity } from './testing/fake-identity.ts'
export type { TestClientHttp } from './testing/http-call.ts'
export { memoryRawClient } from './testing/memory-raw-client.ts'
export type { MemoryClientEvents, MemoryClientSocket } from './testing/memory-transport/memory-peer.ts'
export {
  type MemoryTransport,
  type MemoryTransportOptions,
  memoryTransport,
} from './testing/memory-transport/memory-transport.ts'
export { type NetworkRawClientOptions, networkRawClient } from './testing/network-raw-client.ts'
export { onTransports, type Subject } from './testing/on-transports.ts'
export type { RawClient, RawClosure, RawFrame, RawHttp, RawSocket } from './testing/raw-client.ts'
export {
  type RawConnect,
  type RawHeaders,
  type RawRequest,
  type RawResponse,
  type RawStreamedResponse,
  UpgradeRefused,
} from './testing/raw-types.ts'
export type { Fault, FaultOptions } from './testing/simulation/faults.ts'
export type { NetworkDelays, SimulatedLink } from './testing/simulation/link.ts'
export type { SeededRandom } from './testing/simulation/seeded-random.ts'
export type { ServiceConnection, ServiceEnds } from './testing/simulation/service-link.ts'
export { type PlayedSchedule, runSchedules, type Schedule, simulate } from './testing/simulation/simulate.ts'
export type {
  SimulatedClient,
  SimulatedClientOptions,
  SimulatedEvent,
  SimulatedSubscribeOptions,
  SimulatedSubscription,
} from './testing/simulation/simulated-client.ts'
export type { SimulatedNode, SimulatedProcess } from './testing/simulation/simulated-node.ts'
export type { Simulation, SimulationOptions } from './testing/simulation/simulation.ts'
export { SimulationFailure } from './testing/simulation/simulation-failure.ts'
export { type BrokerSubject, brokerSuite } from './testing/suites/broker.suite.ts'
export { type CodecSubject, codecSuite } from './testing/suites/codec.suite.ts'
export type { PluginOptionsSubject, PluginSettingsSubject, PluginSubject } from './testing/suites/plugin/subject.ts'
export { pluginSuite } from './testing/suites/plugin.suite.ts'
export type { TransportSubject } from './testing/suites/transport/fixture.ts'
export { transportSuite } from './testing/suites/transport.suite.ts'
export { createTestClient, type TestClient, type TestSubscription } from './testing/test-client.ts'
export { createTestLogger, type LogLine, type TestLogger } from './testing/test-logger.ts'
export type { TestRequest, TestResponse } from './testing/test-request.ts'
export type { TestMatchers, TestRejections, TestRunner } from './testing/test-runner.ts'
export { createVirtualClock, type VirtualClock } from './testing/virtual-clock.ts'
