export { createVirtualClock, type VirtualClock } from '../clock/virtual-clock.ts'
export type { MemoryClientEvents, MemoryClientSocket } from '../transport/memory-peer.ts'
export { type MemoryTransport, type MemoryTransportOptions, memoryTransport } from '../transport/memory-transport.ts'
export {
  type RawConnect,
  type RawHeaders,
  type RawRequest,
  type RawResponse,
  type RawStreamedResponse,
  UpgradeRefused,
} from '../transport/raw-types.ts'
export { CallError } from './answers.ts'
export {
  createTestApp,
  type TestApp,
  type TestAppOptions,
  type TestConnect,
  type TransportName,
} from './create-test-app.ts'
export { fakeIdentity } from './fake-identity.ts'
export type { TestClientHttp } from './http-call.ts'
export { memoryRawClient } from './memory-raw-client.ts'
export { type NetworkRawClientOptions, networkRawClient } from './network-raw-client.ts'
export { onTransports, type Subject, type TestRunner } from './on-transports.ts'
export type { RawClient, RawClosure, RawFrame, RawHttp, RawSocket } from './raw-client.ts'
export { createTestClient, type TestClient } from './test-client.ts'
export { createTestLogger, type LogLine, type TestLogger } from './test-logger.ts'
export type { TestRequest, TestResponse } from './test-request.ts'
