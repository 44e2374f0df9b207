/** The rows of docs_site/wire.md that take half a minute: wire-silence.test.ts has them. */
export const silenceRows: readonly string[] = [
  'a chunk with an extension',
  'no byte for about 30 s, before a request, within its head, within its body, or between two',
  'no frame for websocket.idleTimeoutSeconds, not even a pong',
]
