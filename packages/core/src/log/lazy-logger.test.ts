import { describe, expect, it } from 'vitest'
import type { Logger } from '../base/logger.ts'
import { LazyLogger } from './lazy-logger.ts'
import { createLogger } from './pino-logger.ts'

function create(level: 'info' | 'silent', open: () => Logger): { log: LazyLogger; lines: unknown[] } {
  const lines: unknown[] = []
  const writeWithout = (line: string): void => void lines.push(JSON.parse(line))
  return { log: new LazyLogger({ level, bindings: {}, open, writeWithout }), lines }
}

describe('a logger that loads its library with the first line', () => {
  it('opens it once, for the first line that its level lets through, children included', () => {
    const written: string[] = []
    let opened = 0
    const { log } = create('info', () => {
      opened++
      return createLogger({ environment: 'test', level: 'info', destination: { write: (line) => written.push(line) } })
    })
    const child = log.child({ a: 1 })
    log.debug('no')
    child.trace({ b: 2 }, 'no')
    expect(opened).toBe(0)
    child.info({ b: 2 }, 'first')
    log.warn('second')
    child.child({ c: 3 }).error(new Error('third'))
    expect(opened).toBe(1)
    expect(written.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'info', a: 1, b: 2, msg: 'first' },
      { level: 'warn', msg: 'second' },
      { level: 'error', a: 1, c: 3, err: { message: 'third' }, msg: 'third' },
    ])
  })

  it('opens nothing when it is silent', () => {
    const { log, lines } = create('silent', () => {
      throw new Error('not this')
    })
    log.fatal('no')
    expect(log.isLevelEnabled('fatal')).toBe(false)
    expect(lines).toEqual([])
  })

  it('has the fields of a child as they were when it was created', () => {
    const written: string[] = []
    const destination = { write: (line: string) => written.push(line) }
    const fields = { step: 1, deep: { step: 1 } }
    const child = createLogger({ environment: 'test', level: 'info', destination }).child(fields)
    fields.step = 2
    fields.deep.step = 2
    child.info('x')
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ step: 1, deep: { step: 1 } })
  })

  it('writes redacted lines without the library as long as it cannot be loaded, then with it', () => {
    const written: string[] = []
    let broken = true
    const { log, lines } = create('info', () => {
      if (broken) throw new Error('EMFILE: too many open files')
      return createLogger({ environment: 'test', level: 'info', destination: { write: (line) => written.push(line) } })
    })
    const child = log.child({ call: 7, token: 'hunter2' })
    child.error({ err: new Error('no file'), nested: { password: 'hunter2' } }, 'A call failed')
    log.error(new Error('bare'))
    log.warn('plain')
    const log_error = 'Error: EMFILE: too many open files'
    expect(lines).toMatchObject([
      { level: 'error', call: 7, token: '[REDACTED]', err: { message: 'no file' }, msg: 'A call failed', log_error },
      { level: 'error', err: { message: 'bare' }, msg: 'bare', log_error },
      { level: 'warn', msg: 'plain', log_error },
    ])
    expect(JSON.stringify(lines)).not.toContain('hunter2')
    broken = false
    child.error('again')
    expect(lines).toHaveLength(3)
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ call: 7, token: '[REDACTED]', msg: 'again' })
  })
})
