interface ServerSentEvent {
  /** `message` unless it is named. */
  readonly type: string
  readonly data: string
}

/** The events of a body of server-sent events, as they come. Cancels the body when the reader stops. Source: WHATWG HTML, 9.2. */
export async function* readEvents(response: Response): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      // JSON has no carriage return.
      rest += decoder.decode(value, { stream: true }).replaceAll('\r', '')
      const blocks = rest.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) yield* toEvent(block)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** None for a comment, which keeps the connection open. */
function toEvent(block: string): readonly ServerSentEvent[] {
  const type = /^event: ?(.*)$/m.exec(block)?.[1] ?? 'message'
  const data = [...block.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line)
  return data.length === 0 ? [] : [{ type, data: data.join('\n') }]
}
