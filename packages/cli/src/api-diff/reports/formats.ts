import { reportJson } from './json-report.ts'
import { reportMarkdown } from './markdown-report.ts'
import type { Report } from './report.ts'
import { reportText } from './text-report.ts'

/** By the name that `--format` takes. */
export const formats: ReadonlyMap<string, (report: Report) => string> = new Map([
  ['text', reportText],
  ['json', reportJson],
  ['markdown', reportMarkdown],
])
