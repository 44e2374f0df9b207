import { describe, expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../support/certificate.ts'
import { hasHaproxy, startHaproxy } from '../support/haproxy.ts'
import { startProxiedApp } from '../support/proxied-app.ts'
import { send } from '../support/proxy-client.ts'
import { proxySuite } from '../support/proxy-suite.ts'

describe.skipIf(!hasHaproxy())('HAProxy', () => {
  proxySuite({
    name: 'HAProxy',
    start: startHaproxy,
    keepsForged: true,
    hasBodyLimit: true,
    hasIdleLimit: true,
    reloadCode: null,
    passesOn: true,
    statusWithoutNode: [503],
  })

  test.each([
    [
      'the check that `option httpchk` sends by itself is HTTP/1.0, which is answered 505',
      ' ver HTTP/1.1 hdr Host 127.0.0.1',
      '',
    ],
    ['a check with a Host that is not listed is answered 400', 'hdr Host 127.0.0.1', 'hdr Host 10.0.0.7'],
  ])('%s: no node is healthy', async (_what, from, to) => {
    const certificate = createCertificate()
    const app = await startProxiedApp({ hosts: ['127.0.0.1'] })
    const proxy = await startHaproxy({ targets: [app.port], certificate, changes: [[from, to]] })
    onTestFinished(async () => {
      await proxy.stop()
      await app.close()
      certificate.remove()
    })
    await expect.poll(async () => (await send(proxy.port, '/who')).status).toBe(503)
  })
})
