import { errorCodes } from '../../../packages/core/src/errors/codes.ts'
import { disconnects } from '../../../packages/core/src/errors/disconnect.ts'
import { clientFrames, frameFailures, serverFrames } from '../../../packages/core/src/protocol/frame-table.ts'
import { toCode, toTable } from './markdown.mjs'

/** The anchor is what links in messages point to. */
const errorRow = ([code, { status, httpStatus, retry, about }]) => [
  `<a id="${code}"></a>${toCode(code)}`,
  status,
  httpStatus,
  retry ? 'yes' : 'no',
  about,
]

export const wireProtocol = {
  'client-frames': toTable(
    ['frame of the client', 'answer'],
    Object.values(clientFrames).map(({ sent, answer }) => [sent, answer]),
  ),
  'server-frames': toTable(
    ['frame of the server, unasked', 'when'],
    Object.values(serverFrames).map(({ frame, when }) => [frame, when]),
  ),
  'frame-failures': toTable(
    ['code', 'when'],
    Object.entries(frameFailures).map(([code, when]) => [toCode(code), when]),
  ),
  'error-codes': toTable(['code', 'status_code', 'HTTP', 'again', 'when'], Object.entries(errorCodes).map(errorRow)),
  'close-codes': toTable(
    ['code', 'reason', 'the client'],
    Object.values(disconnects).map(({ code, reason, about }) => [code, toCode(reason), about]),
  ),
}
