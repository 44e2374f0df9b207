import process from 'node:process'

/**
 * The server's end of the control channel: says where it listens, and reads its own CPU when asked. Ends with the channel.
 *
 * @param {() => Promise<number>} listen resolves with the port
 * @param {{ tokens?: () => Promise<readonly string[]>, answers?: Record<string, (argument: any) => unknown> }} [more]
 *   `tokens` for its connections, used in rotation; none by default. `answers` to further questions, by their name.
 */
export async function serve(listen, { tokens = async () => [], answers = {} } = {}) {
  process.on('message', (question) => {
    if (question === 'usage') process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() })
    else process.send?.({ result: answers[question.name](question.argument) })
  })
  // `exit` and not a signal: only so does `--cpu-prof` write its file.
  process.on('disconnect', () => process.exit(0))
  process.send?.({ port: await listen(), tokens: await tokens() })
}
