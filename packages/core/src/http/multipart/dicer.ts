import type { Dicer } from '@fastify/busboy'
import { importPeer } from '../../base/peer.ts'

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
  const { Dicer } = await importPeer('@fastify/busboy', reason, () => import('@fastify/busboy'))
  return (config) => new Dicer(config)
}
