// What the reference system does wrong, in the numbering of its review, and what Twinwire does in that place. Each one has a test whose
// title ends with `[defect <number>]`, or a `reason` why there is none. `npm run defects-table` makes docs_site/reference-defects.md of it.
// The parts are the headings of that page.

/** @typedef {{ number: number, part: string, reference: string, twinwire: string } | { number: number, part: string, reference: string, reason: string }} Defect */

/** @type {readonly Defect[]} */
export const referenceDefects = [
  ...of('Sign-in and access', {
    1: [
      'WebSocket tokens are checked with the settings of another realm than HTTP tokens',
      'one verifier serves both wires',
    ],
    2: [
      'roles are read from the token of the upgrade, the caller from that of the first frame, and they may be two users',
      'a connection has one identity, a token in the query is not read, and a frame of another user ends the connection',
    ],
    3: [
      'a missing, forged or expired token over HTTP is a 500',
      '401 with a challenge, for each kind of token that is not accepted',
    ],
    4: [
      'a token that was issued to another client brings its roles of that client along',
      'audience or client of a token are checked, and roles are those of the own client only',
    ],
    5: [
      'the realm that is delivered has no users and lacks roles, so that nothing can be written',
      'the realm of the example has users and all roles',
    ],
    6: ['any user may record and delete profiles', 'the application must say who may profile, in every environment'],
    7: [
      'the keys of the issuer are requested again for each token',
      'keys are kept and read by a timer, and a verified token is remembered',
    ],
    8: ['failed sign-ins are not limited', 'they cost an address extra, on both wires'],
    9: ['a route can only require all of its roles', '`requireAnyRole` requires one of several'],
    10: [
      'a WebSocket cannot renew its token, and sessions of one user share an expiry',
      'a frame renews identity and roles, and each connection has its own expiry',
    ],
    11: ['pages and examples still put the token into the address', 'no page does, and no token is read from there'],
    12: ['a first frame of another shape crashes the connection', 'it is closed with 4001, whatever the frame is'],
    13: [
      'after an origin was refused the connection is handled on, and counted twice',
      'the upgrade is answered 403, and counted once',
    ],
    14: [
      'a missing Origin passes, which no page says',
      'it passes too, since only browsers send one; the guide says so',
    ],
  }),
  ...of('Failures of other services', {
    15: ['circuit breakers never open: they see the promise, not its failure', 'the breaker sees how the work ends'],
    16: [
      'the breaker is around what opens the pool, not around commands and keys',
      'it is around each command to Redis and each request to the issuer',
    ],
    17: ['a half-open breaker is exported as closed', 'it is exported as 2'],
    18: [
      'errors of Redis allow every call, also where the setting says to refuse',
      '`onStoreError` decides, also for the first failure',
    ],
    19: [
      'errors of Redis refuse every connection, in words of another reason',
      '`onStoreError` decides about connections too',
    ],
    20: [
      'a failure right after sign-in keeps the place of the connection occupied',
      'a connection that is refused late gives its place back',
    ],
    21: [
      'retries of the database at the start are never reached',
      'the start waits for a database that comes up later',
    ],
    22: [
      'health leaves services out, has no time limit, and does not tell readiness from life',
      'checks of all plugins with a time limit, and `/health/live` and `/health/ready`',
    ],
  }),
  ...of('Limits', {
    23: [
      'a limit is read and written in several steps, so that concurrent calls exceed it',
      'one script charges, and a limit is exact under concurrency',
    ],
    24: ['calls in one microsecond are counted as one', 'each call is charged'],
    25: ['burst lowers the limit, and headers name another one', 'burst comes on top, and headers name what holds'],
    26: ['the time until the reset is always 60', 'it is computed from the bucket'],
    27: [
      'places of connections are counted with a race, forgotten after an hour, and kept after a crash',
      'places are leases: taken atomically, renewed while the connection is open, free after a crash',
    ],
    28: ['too many messages close the connection without a warning', 'each is answered, and the connection stays open'],
    29: [
      'the first entry of X-Forwarded-For is trusted, and WebSocket rows have the address of the proxy',
      'only entries that a trusted proxy has added count, on both wires',
    ],
  }),
  ...of('WebSocket', {
    30: [
      'publications and metrics are those of one process, although several run',
      'a broker connects nodes, and a cluster has one page of metrics',
    ],
    31: ['a second connection of a user replaces the first one', 'an identity has any number of connections'],
    32: [
      'publications are JSON also for protobuf clients, without topics, and slow clients are not handled',
      'each codec has its form, there are topics, and a slow client is closed with 1013',
    ],
    33: [
      'a message that is not valid closes the connection without a reply',
      'it is answered with its `req_id`, and the connection stays',
    ],
    34: ['text that is not JSON ends the connection with 1006', 'it is answered `malformed_request`'],
    35: [
      'messages run one after the other, without deadline and size limit',
      'calls run concurrently up to a limit, with a deadline, up to a size',
    ],
    36: [
      'protobuf has no cursor, and makes an object of an empty list',
      'replies have the whole page, and lists stay lists',
    ],
    37: ['a date in a reply breaks it', 'values have a JSON form, and the same on both wires'],
    38: [
      'an access that is denied is recorded as an error, and a validation error does not say why',
      'it is `permission_denied`, and issues are listed',
    ],
    39: ['expired sessions are closed at two a second, with 1000', 'all are closed at once, with 4003 or 4004'],
    40: ['a call whose reply cannot be sent is not recorded', 'it has its row'],
  }),
  ...of('Database and pages', {
    41: [
      'pages have no order, so that rows are skipped or repeated',
      'each order is total, and a page by cursor neither skips nor repeats',
    ],
    42: ['filters by date fail, or are ignored', 'they work alone and with others'],
    43: ['totals ignore some of the filters', 'a total is that of the query'],
    44: ['an unknown id of the audit log is a 500', 'it is a 404'],
    45: [
      'a cursor or page that is not valid is a 500, or closes the connection',
      'it is a `validation_error` on both wires',
    ],
    46: [
      'a unique name is looked up and then inserted, without an index',
      'an index decides, and who loses the race gets a conflict',
    ],
    47: {
      reason: 'Twinwire keeps no cache of rows or totals',
      reference: 'a cache is emptied before the commit, and keeps outdated totals',
    },
    48: ['the wildcards % and _ of a search are not escaped', 'they are found as they are'],
    49: [
      'a list has no limit, and a test for existence loads the row',
      'lists are cut at a size and say so, and `exists` reads no row',
    ],
    50: [
      'a client may name any attribute to be loaded',
      'only declared columns can be named, anything else is refused before SQL',
    ],
    51: ['metrics of the pool are wrong or negative', 'they are the counts of the pool'],
    52: [
      'a filter by name is exact on one route and partial on another',
      'it is exact, and a search is another parameter',
    ],
  }),
  ...of('Audit log', {
    53: [
      'a value that is too long loses the whole batch',
      'values are cut to their column, and a row that fails costs no other',
    ],
    54: [
      'a slow trickle of rows delays a batch for a minute and more',
      'the time of a batch begins with its first row',
    ],
    55: [
      'rows that were being collected are lost at shutdown, and not counted',
      'they are written, or counted as lost',
    ],
    56: ['denied access is not told from other errors', 'it has an outcome of its own'],
    57: [
      'what is refused early has no row, and inputs over HTTP are not recorded',
      'each call has a row with its input',
    ],
    58: ['old rows are never removed', 'they are removed after their days, by one node at a time'],
    59: ['a full queue delays calls', 'no call waits: rows are counted, or kept in files'],
    60: [
      'secrets pass under other names, and a failure of the log breaks the call',
      'names are compared by their parts at any depth, and a failure breaks no call',
    ],
  }),
  ...of('Metrics and logs', {
    61: [
      'early errors are not counted, and each path is a series',
      'each answer is counted, by route, and unknown paths share a series',
    ],
    62: [
      'alerts and dashboards ask for metrics that do not exist',
      'each expression finds its metrics in a scrape of the example',
    ],
    63: [
      'ratios compare series with themselves, so that alerts fire always or never',
      'each alert has a case in which it fires and one in which it does not',
    ],
    64: [
      'alerts watch jobs that are not scraped, and capacities are copied into them',
      'the expressions use what is scraped, and the loss of a node fires',
    ],
    65: ['fields of one request are in the log lines of others', 'the log of a call has the fields of that call only'],
    66: ['no line has status and user', 'the line of a call has both'],
    67: [
      'a correlation id is cut to 8 characters and not checked, and there is no trace context',
      'ids of up to 128 visible characters stay whole, and `traceparent` is read on both wires',
    ],
    68: ['any line that contains the path of a probe is dropped', 'only probes are left out'],
    69: [
      'the environment in a metric is a constant, and a count is a gauge',
      'the metric has the environment of the app, and what is counted is a counter',
    ],
    70: ['the log is stored with a label for each request and user', 'labels are few, fields are read by queries'],
  }),
  ...of('HTTP', {
    71: [
      'early errors have no security headers, and plain HTTP is told to use TLS',
      'each answer has them, and HSTS is sent over TLS only',
    ],
    72: ['the policy of the page blocks its own documentation', 'the pages run in a browser under their policy'],
    73: ['a chunked body is not limited', 'each body is limited, declared or chunked'],
    74: [
      'hosts, origins and passwords are open by default, also in production',
      'production asks for hosts and services, and the doctor lists what is open',
    ],
    75: ['errors have three shapes', 'there is one, on both wires'],
    76: ['each peer may name the address of the client', 'no proxy is trusted until it is listed'],
  }),
  ...of('Generated code and documentation', {
    77: [
      'generated handlers call a function that does not exist',
      'what is generated compiles, is linted, and its generated tests pass',
    ],
    78: ['a schema without a second registration is silently not applied', 'the schema of a route is always applied'],
    79: ['the command that checks handlers always fails', 'the doctor fails for an error only'],
    80: [
      'a number has to be added by hand, there are no tests, and nothing finds a number without a handler',
      'a generated route has its number and its tests, and the table of routes has to be complete at compile time and at boot',
    ],
    81: [
      'pages and templates name files that do not exist, and outdated code',
      'links are checked, and the code of pages compiles',
    ],
    82: ['the page about the architecture is outdated', 'the files and modules that it names exist'],
    83: [
      'no test opens a real socket, signs in and calls',
      'tests sign in to the example with real sockets, and to a real Keycloak',
    ],
  }),
]

function of(part, defects) {
  return Object.entries(defects).map(([number, defect]) => {
    const of = { number: Number(number), part }
    if (!Array.isArray(defect)) return { ...of, ...defect }
    const [reference, twinwire] = defect
    return { ...of, reference, twinwire }
  })
}
