// Entry for pages.
import { runCases } from './cases.ts'

Object.assign(globalThis, { runCases })
