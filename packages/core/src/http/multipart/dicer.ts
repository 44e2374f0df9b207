import type { Dicer } from '@fastify/busboy'
import { missingPeer } from '../../base/peer.ts'

/** Finds the parts of a multipart body, and their headers. */
export type CreateDicer = (config: DicerConfig) => Dicer

export interface DicerConfig {
  readonly boundary: string
  /** The declarations of the library lack these. */
  readonly partHwm: number
  readonly maxHeaderPairs: number
  readonly maxHeaderSize: number
}

/** @throws BootError `missing_peer` */
export async function loadDicer(): Promise<CreateDicer> {
  const reason = "A route with http.body: 'multipart' requires the package '@fastify/busboy'"
  const { Dicer } = await import('@fastify/busboy').catch(missingPeer('@fastify/busboy', reason))
  return (config) => new Dicer(config)
}
