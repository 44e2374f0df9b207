import { expect, it } from 'vitest'

// Exported names are a promise. Adding one needs a minor release, removing one a major release: say so in a changeset.

it('@twinwire/core', async () => {
  expect(Object.keys(await import('@twinwire/core')).sort()).toMatchInlineSnapshot(`
    [
      "AppError",
      "AuthenticationError",
      "BaseCommand",
      "BootError",
      "ConflictError",
      "DatabaseError",
      "DeadlineExceededError",
      "Disconnect",
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
      "attachment",
      "check",
      "closeOnSignals",
      "createApp",
      "createLogger",
      "createPublisher",
      "csrf",
      "currentCall",
      "defineErrors",
      "defineTopics",
      "disconnects",
      "errorCodes",
      "event",
      "fromFetch",
      "group",
      "guard",
      "interceptor",
      "jsonCodec",
      "memoryBroker",
      "page",
      "pageOf",
      "reply",
      "route",
      "runDoctor",
      "staticFiles",
      "stream",
      "topic",
      "unchecked",
      "uws",
    ]
  `)
})

it('@twinwire/core/plugin', async () => {
  expect(Object.keys(await import('@twinwire/core/plugin')).sort()).toMatchInlineSnapshot(`
    [
      "CircuitBreaker",
      "CircuitOpenError",
      "CounterCell",
      "GaugeCell",
      "HistogramCell",
      "Instruments",
      "PortRoutes",
      "addGuardedEndpoint",
      "badOption",
      "checkOption",
      "checkOptions",
      "circuitBreakerRules",
      "createNetworks",
      "definePlugin",
      "describeEndpointAccess",
      "endpointPortRules",
      "findOriginError",
      "isSecretKey",
      "networkRule",
      "openEndpointPort",
      "option",
      "pluginKey",
      "readCookie",
      "readSignedCookie",
      "redact",
      "redactPath",
      "redactText",
      "requireSingleProcess",
      "resolveEndpointAccess",
      "setTrace",
      "systemClock",
      "traceOf",
    ]
  `)
})

it('@twinwire/core/settings', async () => {
  expect(Object.keys(await import('@twinwire/core/settings')).sort()).toMatchInlineSnapshot(`
    [
      "clusterSettings",
      "defineSettings",
      "docsSettings",
      "httpSettings",
      "lifecycleSettings",
      "listenSettings",
      "logSettings",
      "nativeServerSettings",
      "settingsGroup",
      "variable",
      "websocketSettings",
    ]
  `)
})

it('@twinwire/core/cluster', async () => {
  expect(Object.keys(await import('@twinwire/core/cluster'))).toEqual(['cluster'])
})

it('@twinwire/core/protobuf', async () => {
  expect(Object.keys(await import('@twinwire/core/protobuf'))).toEqual(['protobufCodec'])
})

it('@twinwire/core/transport', async () => {
  expect(Object.keys(await import('@twinwire/core/transport')).sort()).toMatchInlineSnapshot(`
    [
      "PreparedHead",
      "SendResult",
      "checkListenOptions",
      "defaultSocketLimits",
      "findBadHeader",
      "findHeader",
      "findMalformed",
      "findUnsafe",
      "isBodyless",
      "isFraming",
      "isUnsafeKey",
      "maxPkgId",
      "refuseFrame",
      "streamKey",
      "toFrame",
      "toHeaderRecord",
      "unknownPkgId",
      "uuidPattern",
      "zeroUuid",
    ]
  `)
})

it('@twinwire/core/database', async () => {
  expect(Object.keys(await import('@twinwire/core/database')).sort()).toMatchInlineSnapshot(`
    [
      "BaseRepository",
      "checkTable",
      "database",
      "databaseKey",
      "databaseSettings",
      "driverSerializers",
      "findDatabaseFailure",
      "hasMany",
      "hasOne",
      "migrate",
      "migrationStatus",
      "once",
      "onceTable",
      "outboxTable",
      "transaction",
      "unixTimestamp",
      "withDb",
    ]
  `)
})

it('@twinwire/core/database/testing', async () => {
  expect(Object.keys(await import('@twinwire/core/database/testing')).sort()).toEqual([
    'createSimulatedDatabase',
    'createTestDatabase',
    'databaseDriverSuite',
  ])
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
      "SimulationFailure",
      "UpgradeRefused",
      "brokerSuite",
      "codecSuite",
      "createTestApp",
      "createTestClient",
      "createTestLogger",
      "createVirtualClock",
      "fakeIdentity",
      "memoryRawClient",
      "memoryTransport",
      "networkRawClient",
      "onTransports",
      "pluginSuite",
      "runSchedules",
      "simulate",
      "transportSuite",
    ]
  `)
})
