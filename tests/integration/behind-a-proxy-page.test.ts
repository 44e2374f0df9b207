// The block of docs_site/behind-a-proxy.md, asked as a proxy does. Its configurations of proxies: proxy-*.test.ts.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasNginx } from '../support/nginx.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks, startProgram } from '../support/page-program.ts'
import { adapt, configOf } from '../support/proxy-page.ts'
import { startProxyProcess } from '../support/proxy-process.ts'
import { freePort } from '../support/service.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const run = promisify(execFile)
const page = await readBlocks('behind-a-proxy')
const markdown = readPage('behind-a-proxy')

/** `fetch` sets `Host` itself. */
function ask(url: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    sent.once('error', reject).end()
  })
}

describe('the block of the page about proxies', () => {
  testBlocks(page)

  it('takes the address of the client from the proxy, and drains', async () => {
    const program = startProgram(page.folder, 'main.ts', { PORT: '0' })
    const [url] = await program.find(/^http:\S+$/m)
    const [, command = ''] = /curl localhost:8000(\/address.*)/.exec(markdown) ?? []
    const headers = Object.fromEntries(
      [...command.matchAll(/-H '([\w-]+): ([^']+)'/g)].map(([, name = '', value = '']): [string, string] => [
        name,
        value,
      ]),
    )
    expect(await ask(`${url}/address`, headers)).toEqual({ status: 200, body: shownBlocks(markdown, 'json')[0] })
    // A client may write what it likes to the left.
    const forged = { ...headers, 'x-forwarded-for': `198.51.100.1, ${headers['x-forwarded-for']}` }
    expect((await ask(`${url}/address`, forged)).body).toBe(shownBlocks(markdown, 'json')[0])
    expect((await ask(`${url}/address`, { ...headers, host: 'other.example.com' })).status).toBe(400)
    expect((await ask(`${url}/health/ready`, headers)).status).toBe(200)
    program.child.kill('SIGTERM')
    await vi.waitFor(async () => expect((await ask(`${url}/health/ready`, headers)).status).toBe(503), 4000)
    expect((await ask(`${url}/address`, headers)).status).toBe(200)
  })

  it.skipIf(!hasNginx())('is behind an nginx of one folder, with a certificate of its own', async () => {
    const { folder } = page
    const [frame, answer] = shownBlocks(markdown, 'text')
    const [certificate = '', start = '', curl = ''] = (
      shownBlocks(markdown, 'sh').find((block) => block.startsWith('openssl')) ?? ''
    ).split('\n')
    const program = startProgram(folder, 'main.ts', { PORT: '0' })
    const [, node = ''] = await program.find(/^http:\/\/(\S+)$/m)
    const port = await freePort()
    const site = adapt(configOf('nginx'), [
      ['127.0.0.1:8000', node],
      ['listen 443', `listen ${port}`],
      ['/etc/ssl/private/', ''],
      ['/etc/ssl/', ''],
    ])
    await writeFile(`${folder}/site.conf`, site)
    await writeFile(`${folder}/nginx.conf`, `${frame}\n`)
    await run('sh', ['-c', certificate], { cwd: folder })
    expect(start).toBe('nginx -e stderr -p . -c nginx.conf')
    const args = ['-e', 'stderr', '-p', folder, '-c', 'nginx.conf']
    const nginx = await startProxyProcess('nginx', args, [port])
    onTestFinished(() => nginx.stop())
    const ask = (more: string) => run('sh', ['-c', curl.replaceAll('8443', String(port)) + more], { cwd: folder })
    expect((await ask('')).stdout).toBe(answer)
    // From the machine of the proxy, a trusted address, what is written counts.
    expect((await ask(" -H 'x-forwarded-for: 203.0.113.9'")).stdout).toBe('{"address":"203.0.113.9"}')
  })
})
