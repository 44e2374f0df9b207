import { buildPages } from './pages.ts'

// Before the tests of a run.
export const setup: () => Promise<void> = buildPages
