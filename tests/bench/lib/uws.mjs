import { tsImport } from 'tsx/esm/api'

/** The build of uWebSockets.js that core runs on, so that no server has a better one. Only a source file of core loads it. */
export async function loadSameUws() {
  const { loadUws } = await tsImport('../../../packages/core/src/transport/uws-loader.ts', import.meta.url)
  return loadUws().module
}
