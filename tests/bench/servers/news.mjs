import * as v from 'valibot'

// What all servers publish: 1 KiB in a frame of its own.

export const joinId = 1
export const newsId = 2
export const topic = 'news'

export const News = v.object({ id: v.number(), title: v.string(), text: v.string() })

/** The bytes of a frame without `text`. */
const around = 102
const text = 'x'.repeat(1024 - around)

/** `id` has five digits, so that all frames are of one length. */
export const toNews = (id) => ({ id: 10_000 + (id % 90_000), title: 'A book', text })

export const newsFrame = (data) => ({ pkg_id: newsId, req_id: '00000000-0000-0000-0000-000000000000', data })

/**
 * The answer to `publish`: so many publications, `perTurn` of them in each turn of the event loop.
 *
 * @param {(id: number) => void} publish
 */
export function toAnswers(publish) {
  let id = 0
  const next = (left, perTurn) => {
    const count = Math.min(left, perTurn)
    for (let i = 0; i < count; i++) publish(id++)
    if (left > count) setImmediate(next, left - count, perTurn)
  }
  return {
    publish: ({ count, perTurn }) => {
      setImmediate(next, count, perTurn)
      return null
    },
  }
}
