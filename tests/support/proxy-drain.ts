// A node that leaves behind a proxy.
import { expect, onTestFinished, test } from 'vitest'
import type { Certificate } from './certificate.ts'
import { type ProxiedApp, proxiedPkgIds, startProxiedApp } from './proxied-app.ts'
import { openSocket, send } from './proxy-client.ts'
import type { ProxySuiteOptions } from './proxy-suite.ts'

const ports = (nodes: readonly ProxiedApp[]): readonly number[] => nodes.map(({ port }) => port)

/** Clients that send one request after the other. */
const loopCount = 10

export function drainTest(
  { start, statusWithoutNode }: Pick<ProxySuiteOptions, 'start' | 'statusWithoutNode'>,
  certificate: () => Certificate,
): void {
  test('a drain with a delay: no call is refused, sockets get 1012, and later calls go to the other node', async () => {
    const nodes = [await startProxiedApp({ drainDelayMs: 3000 }), await startProxiedApp()]
    onTestFinished(async () => {
      for (const node of nodes) await node.close()
    })
    const front = await start({ targets: ports(nodes), certificate: certificate() })
    onTestFinished(() => front.stop())
    const [leaving, staying] = nodes
    const who = async (): Promise<unknown> => {
      const { status, text } = await send(front.port, '/who')
      return status === 200 ? JSON.parse(text).port : { status, text }
    }
    // Connections of the proxy to the nodes, which it keeps.
    for (let n = 0; n < 8; n += 1) expect(ports(nodes)).toContain(await who())
    // A proxy may choose the node of each by chance.
    const sockets = [await openSocket(front.port)]
    const isOn = async (node: ProxiedApp | undefined): Promise<boolean> => {
      const replies = await Promise.all(sockets.map((socket) => socket.call(proxiedPkgIds.WHO)))
      return replies.some((reply) => JSON.stringify(reply).includes(`"port":${node?.port}`))
    }
    while (!(await isOn(leaving)) || !(await isOn(staying))) sockets.push(await openSocket(front.port))
    const inFlight: ReturnType<typeof send>[] = []
    do {
      inFlight.push(send(front.port, '/held'))
      await expect.poll(() => nodes.reduce((sum, { held }) => sum + held, 0)).toBe(inFlight.length)
    } while (nodes.some(({ held }) => held === 0))
    // Not repeated by a proxy once it was sent.
    const posts: Promise<unknown>[] = []
    let done = false
    const post = async (): Promise<void> => {
      while (!done) {
        const body = '{"text":"one"}'
        const sent = send(front.port, '/echo', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })
        posts.push(sent.then(({ status, text }) => ({ status, text })))
        await sent
      }
    }
    const loops = Promise.all(Array.from({ length: loopCount }, post))
    const closed = leaving?.drain()
    for (let streak = 0; streak < 20; ) {
      const port = await who()
      expect(ports(nodes)).toContain(port)
      streak = port === staying?.port ? streak + 1 : 0
    }
    for (const node of nodes) node.release()
    expect((await Promise.all(inFlight)).map(({ status }) => status)).toEqual(inFlight.map(() => 200))
    await closed
    done = true
    await loops
    const answers = await Promise.all(posts)
    expect(answers.length).toBeGreaterThan(100)
    const failed = answers.filter((answer) => JSON.stringify(answer) !== '{"status":200,"text":"{\\"length\\":3}"}')
    // Connections that the system took just before the port closed, and the process not yet, are reset: thousands are opened here each second. A loop
    // waits for one at a time. What the process refuses is 503.
    expect(failed.map((answer) => Object(answer).status)).toEqual(failed.map(() => 502))
    expect(failed.length).toBeLessThanOrEqual(loopCount)
    const closes = await Promise.all(
      sockets.map((socket) => Promise.race([socket.closed, socket.call(proxiedPkgIds.WHO)])),
    )
    const ended = closes.filter((close) => close === 1012)
    expect(ended.length).toBeGreaterThan(0)
    expect(closes.filter((close) => close !== 1012)).toEqual(
      Array.from({ length: sockets.length - ended.length }, () => expect.objectContaining({ status_code: 0 })),
    )
    expect(await who()).toBe(staying?.port)
    await staying?.close()
    expect(statusWithoutNode).toContain((await send(front.port, '/who')).status)
  })
}
