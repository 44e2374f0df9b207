/**
 * The tests that a store of limits passes.
 *
 * @packageDocumentation
 */
export { createRule, type StoreSubject, storeSuite } from './store.suite.ts'
