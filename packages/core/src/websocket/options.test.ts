import { describe, expect, it } from 'vitest'
import { resolveWebSocketOptions, type WebSocketOptions } from './options.ts'

const resolve = (options: WebSocketOptions, isDevelopment = true) => resolveWebSocketOptions(options, isDevelopment)
const bad = (message: string | RegExp, code = 'bad_option') =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('options of the WebSocket wire', () => {
  it('have defaults', () => {
    expect(resolve({})).toMatchObject({
      path: '/ws',
      origins: null,
      maxInFlight: 64,
      maxMessageBytes: 256 * 1024,
      maxMalformedFrames: 10,
      ordered: false,
      reconnectWindowMs: 20_000,
      compression: null,
      idleTimeoutSeconds: 60,
      pingIntervalSeconds: 44,
      maxPayloadBytes: 1024 * 1024,
    })
  })

  it('are taken as they are', () => {
    const given = {
      path: '/a/b-c',
      maxInFlight: 1,
      maxMessageBytes: 10,
      maxMalformedFrames: 1,
      idleTimeoutSeconds: 0,
    } as const
    expect(resolve({ ...given, ordered: 'connection' })).toMatchObject({ ...given, ordered: true })
    expect(resolve({ ordered: 'none' }).ordered).toBe(false)
  })

  it.each(['ws', '/', '', '/ws/', '/a b', '/:id', '/a//b', '/*', '/ws?x', '/ü'])('refuse the path %j', (path) => {
    expect(() => resolve({ path: path as '/' })).toThrow(
      bad(/^createApp\(\): websocket.path must be a path of letters/),
    )
  })

  it.each(['maxInFlight', 'maxMessageBytes', 'maxMalformedFrames'] as const)(
    'reject a %s that is not a positive integer',
    (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(() => resolve({ [name]: value })).toThrow(bad(`websocket.${name} must be`))
      }
    },
  )

  it('refuse an interval of pings that has no effect', () => {
    expect(resolve({ pingIntervalSeconds: 20 }).pingIntervalSeconds).toBe(20)
    expect(resolve({ idleTimeoutSeconds: 30 }).pingIntervalSeconds).toBe(44)
    expect(resolve({ idleTimeoutSeconds: 0, pingIntervalSeconds: 900 }).pingIntervalSeconds).toBe(900)
    expect(() => resolve({ pingIntervalSeconds: 60 })).toThrow(
      bad(/websocket.pingIntervalSeconds must be less than idleTimeoutSeconds \(60\), .* received 60/),
    )
    expect(() => resolve({ sendPings: false, pingIntervalSeconds: 20 })).toThrow(
      bad(/websocket.pingIntervalSeconds has no effect without pings/),
    )
  })

  it('refuse messages larger than what is read at all', () => {
    expect(() => resolve({ maxMessageBytes: 2049, maxPayloadBytes: 2048 })).toThrow(
      bad(/websocket.maxMessageBytes must not be more than maxPayloadBytes \(2048\), received 2049/),
    )
    expect(resolve({ maxMessageBytes: 2048, maxPayloadBytes: 2048 }).maxMessageBytes).toBe(2048)
  })

  it('reject what would end the process, unknown options and unknown orders', () => {
    expect(() => resolve({ idleTimeoutSeconds: 5 })).toThrow(bad(/websocket.idleTimeoutSeconds/))
    expect(() => resolve({ pathh: '/ws' } as WebSocketOptions)).toThrow(bad(/pathh/, 'unknown_option'))
    expect(() => resolve({ ordered: 'route' as 'none' })).toThrow(bad(/websocket.ordered must be/))
    expect(() => resolve({ reconnectWindowMs: -1 })).toThrow(
      bad(/websocket.reconnectWindowMs must be an integer from 0/),
    )
  })

  describe('origins', () => {
    it('are any in development, and the own host elsewhere', () => {
      expect(resolve({}, true).origins).toBeNull()
      expect(resolve({}, false).origins).toBe('same-host')
      expect(resolve({ origins: ['https://a.example'] }, true).origins).toEqual(['https://a.example'])
      expect(resolve({ origins: ['https://a.example:8443', 'http://localhost'] }, false).origins).toHaveLength(2)
      expect(resolve({ origins: [] }, false).origins).toEqual([])
      expect(resolve({ origins: ['*'] }, false).origins).toBeNull()
    })

    it.each([
      'a.example',
      'https://a.example/',
      'https://a.example/x',
      'https://A.example',
      'https://a.example:443',
      '',
    ])('are none: %j', (origin) => {
      expect(() => resolve({ origins: [origin] })).toThrow(
        bad(/websocket.origins\[0\] must be an origin such as 'https:\/\/app.example.com'/),
      )
    })
  })
})
