import { hostname } from 'node:os'
import type { Clock } from '../base/clock.ts'
import { createId } from '../base/unique-id.ts'
import type { NodeInfo } from './broker.ts'

/** Names this process for the other nodes of its app, until it ends. */
export function createNodeInfo(clock: Clock): NodeInfo {
  return { id: createId(), startedAt: clock.now(), hostname: hostname(), pid: process.pid }
}
