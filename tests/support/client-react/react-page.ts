// Entry of the page that runs the cases of the hooks.
import { actionCases } from './action-cases.ts'
import { callCases } from './call-cases.ts'
import { runReactCases } from './harness.ts'
import { stateCases } from './state-cases.ts'
import { subscriptionCases } from './subscription-cases.ts'

Object.assign(globalThis, {
  runCases: runReactCases({ ...callCases, ...actionCases, ...subscriptionCases, ...stateCases }),
})
