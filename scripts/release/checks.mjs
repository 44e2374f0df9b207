// What tests/integration/release-checks.test.ts reads of the steps; checks.d.mts has its types.
export { faultsOfPolicies } from './policies.mjs'
export { compareSizes } from './sizes.mjs'
export { faultsOfStability } from './stability.mjs'
export { differences } from './steps/exports.mjs'
export { faultsOfFiles } from './steps/tarballs.mjs'
