export { createRule, type StoreSubject, storeSuite } from './store.suite.ts'
