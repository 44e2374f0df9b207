import { STATUS_CODES } from 'node:http'
import { expect, it } from 'vitest'
import { toStatusText } from './status-text.ts'

it('has the text of every status that Node knows, and no other', () => {
  for (let status = 100; status < 1000; status++) expect(toStatusText(status)).toBe(STATUS_CODES[status] ?? 'Unknown')
})
