// What the test client of @twinwire/core is built on, inside this repository: package.json names it, the published one does not.
export { CallError } from './call-error.ts'
export { jsonCodec, type ServerPackage } from './codec.ts'
export { toHttpRequest } from './http-request.ts'
export type { ManifestRoute } from './manifest.ts'
export { Session } from './session.ts'
export { toAnswer } from './wire-call.ts'
