import type { HttpExchange } from '../../../transport/transport.ts'
import type { RawHeaders } from '../../raw-types.ts'
import type { TestRunner } from '../../test-runner.ts'
import { text } from '../helpers.ts'
import type { TransportFixture } from './fixture.ts'

/** Header fields that may come once, with a value that is fine by itself. */
const once: Readonly<Record<string, string>> = {
  authorization: 'Bearer abc',
  'content-type': 'application/json',
  'idempotency-key': 'a-1',
  origin: 'https://app.example',
  'proxy-authorization': 'Basic YTpi',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}

/** Requests whose header fields alone are a reason to refuse them. */
export function headerFieldsSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('header fields', () => {
    const answerOf = async (headers: RawHeaders, body?: string): Promise<[number, string, string | undefined]> => {
      const { client } = await serve({
        request: (exchange) => exchange.respond(exchange.malformed === null ? 200 : 400, [], exchange.malformed),
      })
      const answer = await client.request({ method: 'POST', path: '/', headers, body })
      return [answer.status, text(answer.body), answer.headers.connection]
    }

    for (const [name, value] of Object.entries(once)) {
      it(`${name} once is fine, twice is malformed and closes, the same value too`, async () => {
        expect((await answerOf({ [name]: value }))[0]).toBe(200)
        for (const second of [value, `${value}x`]) {
          expect(await answerOf({ [name]: [value, second] })).toEqual([
            400,
            `Header ${name} was sent more than once: send it once`,
            'close',
          ])
        }
      })
    }

    it('that are lists may come in several lines', async () => {
      const lists = [
        'accept',
        'cookie',
        'forwarded',
        'if-none-match',
        'sec-websocket-protocol',
        'x-forwarded-for',
        'x-own',
      ]
      for (const name of lists) expect((await answerOf({ [name]: ['a=1', 'b=2'] }))[0]).toBe(200)
    })

    it('Content-Length twice is malformed, the same number too', async () => {
      for (const lengths of [
        ['2', '2'],
        ['2', '1'],
      ]) {
        expect(await answerOf({ 'content-length': lengths }, 'ab')).toEqual([
          400,
          'Header content-length was sent more than once: send it once',
          'close',
        ])
      }
    })

    for (const coding of ['Chunked', 'gzip, chunked']) {
      it(`Transfer-Encoding: ${coding} is malformed, well-formed chunks or not`, async () => {
        expect(await answerOf({ 'transfer-encoding': coding }, 'ab')).toEqual([
          400,
          'Transfer-Encoding must be exactly chunked',
          'close',
        ])
      })
    }

    it('Trailer is malformed: no trailer field would be read', async () => {
      const [status, message, connection] = await answerOf({ trailer: 'x-sum', 'transfer-encoding': 'chunked' }, 'ab')
      expect([status, connection]).toEqual([400, 'close'])
      expect(message).toMatch('Trailer fields')
    })

    it('are looked at in an upgrade too, whose refusal closes', async () => {
      const { client } = await serve({
        upgrade: (request) => request.reject(request.malformed === null ? 403 : 400, [], request.malformed ?? ''),
      })
      const refusal = (headers: RawHeaders) => client.connect({ headers }).catch((error: unknown) => error)
      expect(await refusal({ authorization: 'a' })).toMatchObject({ status: 403 })
      const twice = await refusal({ authorization: ['a', 'b'] })
      expect(twice).toMatchObject({ status: 400, headers: { connection: 'close' } })
    })

    it('the answer to HEAD has no body, and closes', async () => {
      const { client } = await serve({ request: (exchange: HttpExchange) => exchange.respond(400, [], 'seven c') })
      const { status, headers, body } = await client.request({
        method: 'HEAD',
        path: '/',
        headers: { origin: ['a', 'b'] },
      })
      expect([status, headers['content-length'], headers.connection, body.byteLength]).toEqual([400, '7', 'close', 0])
    })
  })
}
