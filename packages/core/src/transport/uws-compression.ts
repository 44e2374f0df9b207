import { BootError } from '../base/boot-error.ts'
import type { SocketCompression } from './compression.ts'
import type { UwsModule } from './uws-types.ts'

/** `compression` of uWS; 0 for none. What clients send is always decompressed without a window of their own, which costs no memory. */
export function toNativeCompression(module: UwsModule, compression: SocketCompression | null): number {
  if (compression === null) return 0
  const { memory } = compression
  const compressor = memory === 'shared' ? module.SHARED_COMPRESSOR : module.DEDICATED_COMPRESSOR_32KB
  if (typeof compressor !== 'number' || typeof module.SHARED_DECOMPRESSOR !== 'number')
    throw new BootError(
      'unavailable_transport',
      `uWebSockets.js cannot be used: this build has no compression '${memory}': set websocket.compression to false`,
    )
  return compressor | module.SHARED_DECOMPRESSOR
}
