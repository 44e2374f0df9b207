import type { Case, PeerRecording, Recording } from './case.ts'
import { joinChunks } from './http-answer.ts'

const uuid = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi
/** `req_id` of an event, and of an answer to a frame whose own cannot be read. */
const zeroUuid = '00000000-0000-0000-0000-000000000000'

/**
 * What may differ between two builds is replaced: the value of `Date`, ids that the server made (a UUID that no client of the case has
 * sent), the ends of the chunks of a stream. A UUID that a client sent is compared.
 */
export function normalize(received: string, sent: string): string {
  return joinChunks(received)
    .replace(/^(date: )[^\r\n]+/gim, '$1<date>')
    .replace(uuid, (id) => (id === zeroUuid || sent.includes(id) ? id : '<uuid>'))
}

/** A recording as text, for comparing and for reading. */
export function toText({ peers }: Recording, { steps }: Case): string {
  const sent = steps.flatMap(({ pieces }) => pieces.join('')).join('\n')
  return peers.map((peer, i) => `--- client ${i}\n${toPeerText(peer, sent)}`).join('\n')
}

function toPeerText({ received, end, stuckAt }: PeerRecording, sent: string): string {
  return `${normalize(received, sent)}\n(${stuckAt === null ? end : `no answer to step ${stuckAt}`})`
}

/** Lines that only one side has, with how often; both in any order. */
export function compareCounts(before: readonly string[], now: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const line of before) counts.set(line, (counts.get(line) ?? 0) - 1)
  for (const line of now) counts.set(line, (counts.get(line) ?? 0) + 1)
  return [...counts]
    .filter(([, count]) => count !== 0)
    .map(([line, count]) => `${count > 0 ? '+' : '-'}${Math.abs(count)} ${line}`)
    .sort()
}

/** Where two strings begin to differ, with what is around it. */
export function describeDifference(before: string, now: string): string {
  let at = 0
  while (at < before.length && before[at] === now[at]) at += 1
  const from = Math.max(0, at - 80)
  const show = (text: string): string => JSON.stringify(text.slice(from, at + 400))
  return `at character ${at}\n  before ${show(before)}\n  now    ${show(now)}`
}
