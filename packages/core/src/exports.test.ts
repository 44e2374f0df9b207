import { expect, it } from 'vitest'

// What a door offers is a promise. A name that comes is a minor release; one that goes is a major one: say so in a changeset.

it('@twinwire/core', async () => {
  expect(Object.keys(await import('@twinwire/core')).sort()).toMatchInlineSnapshot(`
    [
      "AppError",
      "AuthenticationError",
      "BaseCommand",
      "BootError",
      "ConflictError",
      "CounterCell",
      "DatabaseError",
      "DeadlineExceededError",
      "Disconnect",
      "GaugeCell",
      "HistogramCell",
      "Instruments",
      "InternalError",
      "MalformedRequestError",
      "NotFoundError",
      "OutcomeUnknownError",
      "PayloadTooLargeError",
      "PermissionDeniedError",
      "RSPCode",
      "RateLimitError",
      "UnavailableError",
      "ValidationError",
      "check",
      "closeOnSignals",
      "createApp",
      "createLogger",
      "createNetworks",
      "currentCall",
      "defineErrors",
      "definePlugin",
      "defineSettings",
      "defineTopics",
      "disconnects",
      "errorCodes",
      "event",
      "group",
      "guard",
      "httpSettings",
      "interceptor",
      "isSecretKey",
      "jsonCodec",
      "lifecycleSettings",
      "listenSettings",
      "logSettings",
      "memoryBroker",
      "nativeServerSettings",
      "page",
      "pageOf",
      "pluginKey",
      "redact",
      "reply",
      "route",
      "runDoctor",
      "settingsGroup",
      "systemClock",
      "unchecked",
      "uws",
      "variable",
      "websocketSettings",
    ]
  `)
})

it('@twinwire/core/database', async () => {
  expect(Object.keys(await import('@twinwire/core/database')).sort()).toMatchInlineSnapshot(`
    [
      "BaseRepository",
      "database",
      "databaseKey",
      "databaseSettings",
      "hasMany",
      "hasOne",
      "migrate",
      "migrationStatus",
      "transaction",
      "unixTimestamp",
      "withDb",
    ]
  `)
})

it('@twinwire/core/database/testing', async () => {
  expect(Object.keys(await import('@twinwire/core/database/testing'))).toEqual(['createTestDatabase'])
})

it('@twinwire/core/database/valibot', async () => {
  expect(Object.keys(await import('@twinwire/core/database/valibot')).sort()).toMatchInlineSnapshot(`
    [
      "filterSchema",
      "filtersFromQuery",
      "pageInput",
      "sortSchema",
    ]
  `)
})

it('@twinwire/core/testing', async () => {
  expect(Object.keys(await import('@twinwire/core/testing')).sort()).toMatchInlineSnapshot(`
    [
      "CallError",
      "UpgradeRefused",
      "createTestApp",
      "createTestClient",
      "createTestLogger",
      "createVirtualClock",
      "fakeIdentity",
      "memoryRawClient",
      "memoryTransport",
      "networkRawClient",
      "onTransports",
    ]
  `)
})
