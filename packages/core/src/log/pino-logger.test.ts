import { describe, expect, test } from 'vitest'
import type { Logger, LogLevel } from '../base/logger.ts'
import { createLogger, type LogFormat } from './pino-logger.ts'

function capture(format: LogFormat = 'json', level: LogLevel = 'debug'): { log: Logger; lines: string[] } {
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  return { log: createLogger({ environment: 'test', level, format, destination }), lines }
}

describe('JSON', () => {
  test('one line with level, time, fields and message', () => {
    const { log, lines } = capture()
    log.info({ a: 1 }, 'Hello')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toEqual({ level: 'info', time: expect.any(String), a: 1, msg: 'Hello' })
  })

  test('redacts secrets of a line, a child, a grandchild and an error', () => {
    const { log, lines } = capture()
    const child = log.child({ user: { password: 'hunter2' } }).child({ accessToken: 'hunter2' })
    child.error({ err: Object.assign(new Error('e'), { secret: 'hunter2' }), deep: [[{ pwd: 'hunter2' }]] }, 'm')
    expect(lines.join('')).not.toContain('hunter2')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      user: { password: '[REDACTED]' },
      accessToken: '[REDACTED]',
      err: { type: 'Error', message: 'e', secret: '[REDACTED]' },
      deep: [[{ pwd: '[REDACTED]' }]],
      msg: 'm',
    })
  })

  test('redacts credentials inside strings, at any position', () => {
    const { log, lines } = capture()
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'
    log.child({ note: `Bearer ${jwt}` }).warn({ err: new Error(`bad: bearer  abcdefgh`), q: `?t=${jwt}` }, `Got ${jwt}`)
    log.info('postgres://me:hunter2@db:5432/x did not answer')
    const text = lines.join('')
    expect(text).not.toMatch(/eyJ|abcdefgh|hunter2/)
    expect(text).toContain('postgres://me:[REDACTED]@db:5432/x')
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
  })

  test("an error's own message as the line's, without the values of a statement", () => {
    const { log, lines } = capture()
    const error = new Error('Failed query: select $1\nparams: "Ursula"\nK.')
    log.error(error)
    log.error({ err: error })
    expect(lines.join('')).not.toMatch(/Ursula|K\./)
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ msg: 'Failed query: select $1\nparams: [REDACTED]' })
    expect(lines[1]).toContain('pino-logger.test.ts')
  })

  test('writes nothing below its level', () => {
    const { log, lines } = capture('json', 'warn')
    log.info({ a: 1 }, 'no')
    log.child({ b: 1 }).debug('no')
    expect(lines).toEqual([])
    expect(log.isLevelEnabled?.('info')).toBe(false)
    expect(log.child({}).isLevelEnabled?.('error')).toBe(true)
  })
})

describe('for people', () => {
  test('time, level, message, fields', () => {
    const { log, lines } = capture('human')
    log.info({ url: 'http://a', note: 'two words', n: 1, o: { a: [1] } }, 'Listening')
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}Listening url=http:\/\/a note="two words" n=1 o={"a":\[1\]}\n$/,
    )
  })

  test('errors with stack and causes below', () => {
    const { log, lines } = capture('human')
    log.error({ err: Object.assign(new Error('outer', { cause: new TypeError('inner') }), { code: 'x' }) }, 'Failed')
    expect(lines[0]).toMatch(
      /ERROR Failed\n {2}Error: outer\n {6}at .*\n {2}\{"code":"x"\}\n {2}caused by\n {4}TypeError: inner\n/s,
    )
  })

  test('text from a client neither starts a line nor sends control sequences', () => {
    const { log, lines } = capture('human')
    log.warn({ a: 'x\n12:00:00.000 INFO forged', b: '\u001b[2J', c: '\u009b2J' }, 'm\u001b[31m\nforged')
    expect(lines[0]?.split('\n')).toHaveLength(2)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })
})
