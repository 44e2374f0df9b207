import { limits as limitRows } from '../../../packages/core/src/app/limits-table.ts'
import { pageRules } from '../../../packages/core/src/database/page-settings.ts'
import { toTable } from './markdown.mjs'

const KiB = 1024
const MiB = KiB * KiB

const toBytes = (value) =>
  value % MiB === 0 ? `${value / MiB} MiB` : value % KiB === 0 ? `${value / KiB} KiB` : `${value} bytes`

const toValue = ({ value, unit }) => {
  if (unit === 'bytes') return toBytes(value)
  if (unit === 's') return `${value} s`
  if (unit === 'ms') return value === 0 ? '0' : value % 1000 === 0 ? `${value / 1000} s` : `${value} ms`
  return String(value)
}

const toRow = (row) => [row.what, `${toValue(row)}${row.note ?? ''}`, row.where ?? 'fixed']

const head = ['what', 'default', 'where']

export const limits = {
  'limits-websocket': toTable(head, limitRows.webSocket.map(toRow)),
  'limits-http': toTable(head, limitRows.http.map(toRow)),
  'limits-calls': toTable(head, limitRows.lifecycle.map(toRow)),
  'limits-pages': toTable(head, [
    [
      'rows of a page that asks for no number',
      pageRules.defaultSize.unset.value,
      '`pages.defaultSize` of `database()`',
    ],
    [
      'rows of a page; a larger number is reduced to it',
      pageRules.maxSize.unset.value,
      '`pages.maxSize` of `database()`',
    ],
  ]),
}
