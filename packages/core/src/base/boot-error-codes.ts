/** One code, with the words of its section in docs_site/boot-errors.md. */
export interface BootErrorRow {
  /** What is wrong. */
  readonly about: string
  /** A message with this code. */
  readonly example: string
  /** What to change, in Markdown; links are those of pages of docs_site. */
  readonly change: string
}

export type CoreBootErrorCode =
  | 'unknown_option'
  | 'bad_option'
  | 'bad_settings'
  | 'bad_pkg_id'
  | 'duplicate_pkg_id'
  | 'missing_route'
  | 'unknown_route'
  | 'duplicate_route'
  | 'bad_route'
  | 'bad_path'
  | 'duplicate_path'
  | 'unused_path_parameter'
  | 'bad_step_order'
  | 'conflicting_access'
  | 'missing_default_access'
  | 'missing_identity_owner'
  | 'duplicate_identity_owner'
  | 'duplicate_handshake_owner'
  | 'duplicate_control_frame'
  | 'duplicate_tracer'
  | 'duplicate_topic'
  | 'missing_plugin'
  | 'duplicate_plugin'
  | 'mismatched_plugin_key'
  | 'duplicate_error_code'
  | 'duplicate_instrument'
  | 'duplicate_health_check'
  | 'duplicate_task'
  | 'missing_lease'
  | 'missing_peer'
  | 'unavailable_port'
  | 'unavailable_transport'
  | 'unavailable_broker'
  | 'unavailable_cluster'
  | 'conflicting_workers'
  | 'failed_worker'
  | 'unreachable_database'
  | 'failed_migration'
  | 'missing_table'
  | 'wrong_state'

/** Every code of core. docs_site/boot-errors.md is written from this table. */
export const bootErrorCodes: Readonly<Record<CoreBootErrorCode, BootErrorRow>> = {
  unknown_option: {
    about: 'An option has an unknown name.',
    example:
      "createApp(): health.pth is not an option. Did you mean 'path'? Known options: path, checkTimeoutMs, cacheMs",
    change: 'Correct the name, or remove the option. The message names its path, and the known names.',
  },
  bad_option: {
    about: 'An option, a declaration or an argument has a value that is not allowed.',
    example: 'createApp(): deadlineMs must be an integer from 0 to 86400000 (milliseconds), received -1',
    change: 'The message has the path of the option, what it must be, and what was received unless it is a secret.',
  },
  bad_settings: {
    about: 'Environment variables are missing or wrong. The message lists all of them.',
    example: 'Invalid settings:\n  PORT must be an integer from 0 to 65535',
    change: 'Set each variable as [the table of settings](settings.md) says. Names are case-sensitive.',
  },
  bad_pkg_id: {
    about: 'A PkgID is not an integer of the allowed range.',
    example: 'PkgID GREET must be an integer from 1 to 2147483647, received 0',
    change: 'Choose another number. Clients know it, so do not change one that is in use.',
  },
  duplicate_pkg_id: {
    about: 'Two packages have the same PkgID.',
    example: 'PkgIDs GREET and LEAVE are both 1: change one of them',
    change: 'Change the newer one. One of a plugin is changed by `pluginPkgIds` of `createApp`.',
  },
  missing_route: {
    about: 'A name in `pkgIds` has neither a route nor an event.',
    example: 'PkgID GREET has no entry: add it to routes or events',
    change: 'Add the route or the event under that name, or remove the PkgID.',
  },
  unknown_route: {
    about: 'A name in `routes` or `events` is not declared in `pkgIds`.',
    example: 'GREET (GET /greetings) is not declared in pkgIds: add it, or put HTTP-only routes into endpoints',
    change: 'Give it a PkgID. A route without one belongs into `endpoints`.',
  },
  duplicate_route: {
    about: 'One route or event is used under two names.',
    example: 'Events CREATED and CHANGED are the same definition: declare each with its own event(…)',
    change: 'Declare each by a call of its own.',
  },
  bad_route: {
    about: 'A route is declared in a way that cannot work.',
    example: 'Route GREET requires either a handler or a command',
    change: 'The message names the route, and which of its options do not fit each other.',
  },
  bad_path: {
    about: 'A path or a prefix is not valid.',
    example: "The prefix '/v1/' must not end with a slash",
    change: 'Paths begin with `/`, and prefixes do not end with it; methods are in upper case.',
  },
  duplicate_path: {
    about: 'Two routes have the same method and path.',
    example: 'GET /authors/:id and GET /authors/:name are the same path: change or remove one of them',
    change:
      'Names of parameters do not tell paths apart: change a segment or the method. Paths of plugins are options of theirs.',
  },
  unused_path_parameter: {
    about: 'A parameter of a path is not part of the input.',
    example:
      "Route GET_AUTHOR: the path /authors/:id has the parameter 'id', which is not a key of the input: add it to the input, or remove it from the path",
    change: 'Use the same name in the path and in the schema, or map it by `http.input`.',
  },
  bad_step_order: {
    about:
      'A guard of a route is behind a check or an interceptor, or a step such as `once()` or `audited()` is not before the `transaction()` that it needs.',
    example:
      "Route PAY: the guard 'authenticated' comes after the interceptor 'transaction'; guards run before the input is read: put them first in use",
    change:
      'Write guards first, then `audited()`, then `once()` directly before `transaction()`, then checks that need the transaction.',
  },
  conflicting_access: {
    about: 'A public route has a step that requires an identity.',
    example:
      "Route GREET is public, but its step 'authenticated' requires an identity: set access: 'authenticated', or remove the step",
    change: 'Decide which of the two was meant.',
  },
  missing_default_access: {
    about: 'No plugin identifies callers, and production has routes without `access`.',
    example:
      "No plugin provides identities, so every route that does not state its access would be public: add auth() of @twinwire/plugin-auth to plugins, or set defaultAccess: 'public' if that is intended",
    change: "Install [`auth()`](auth.md), or say `defaultAccess: 'public'`.",
  },
  missing_identity_owner: {
    about: 'A route or a step requires an identity, and no plugin identifies callers.',
    example:
      "Route GREET: its access is 'authenticated', and no plugin identifies callers: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does, or set access: 'public'",
    change: 'Install [`auth()`](auth.md), or a plugin that calls `host.identify()`.',
  },
  duplicate_identity_owner: {
    about: 'Two plugins identify callers.',
    example: "Plugins 'auth' and 'sessions' both own the identity: install one of them",
    change: 'One plugin has to accept every kind of credentials of the app.',
  },
  duplicate_handshake_owner: {
    about: 'Two plugins own the WebSocket handshake.',
    example: "Plugins 'auth' and 'tickets' both own the handshake: install one of them",
    change: 'Remove one of the plugins.',
  },
  duplicate_control_frame: {
    about: 'Two plugins handle the same control frame, or a plugin one of core.',
    example: "Plugins 'chat' and 'calls' both handle control frames of type 'typing': install one of them",
    change: 'Give the frame of your own plugin another `type`, such as one that begins with the name of the plugin.',
  },
  duplicate_tracer: {
    about: 'Two plugins trace the app.',
    example: "Plugins 'otel' and 'spans' both trace the app: install one of them",
    change: 'Remove one of them. One tracer can export to several places.',
  },
  duplicate_topic: {
    about: 'The same topic is declared twice, or two patterns fit a topic equally well.',
    example:
      "createApp(): topics['chat:{name}'] and 'chat:{id}' of createApp() fit the same topics equally well, so that neither can rule them: change one of the patterns",
    change: 'Give one of the patterns another fixed part.',
  },
  missing_plugin: {
    about: 'A step or a plugin needs a plugin that is not installed.',
    example:
      "Route PAY: the step 'database.transaction' requires the plugin 'database', which is not installed: add database() to plugins",
    change: 'Add it to `plugins` of `createApp`; their order does not matter.',
  },
  duplicate_plugin: {
    about: 'Two plugins have the same name.',
    example: "Plugin 'metrics' is in the list twice: remove one",
    change: 'Remove one, or rename your own.',
  },
  mismatched_plugin_key: {
    about: 'A step or a plugin has the key of another copy of a plugin than the one installed.',
    example:
      "Plugin 'reports' uses another plugin 'database' than the one installed: two copies of its package, or of @twinwire/core, are installed",
    change:
      'Look for copies by `npm ls @twinwire/core`, and make the versions agree; [installing](installing.md) says more. Of your own plugin: create its key once.',
  },
  duplicate_error_code: {
    about: 'Two errors of `defineErrors` have the same code.',
    example: "The error code 'billing.card_declined' is defined twice: rename one, or share the definition",
    change: 'Call `defineErrors` once for each code, and import the result.',
  },
  duplicate_instrument: {
    about: 'Two instruments have the same name, or a shared one is declared differently.',
    example: 'The instrument billing_refused_total is declared twice',
    change:
      'Begin names with that of your app or plugin. Declarations of a shared one have the same help, labels and buckets.',
  },
  duplicate_health_check: {
    about: 'Two health checks have the same name.',
    example: "Two health checks have the name 'queue': rename the one of plugin 'mail'",
    change: 'Rename one.',
  },
  duplicate_task: {
    about: 'Two tasks have the same name.',
    example: "Two tasks have the name 'removeOld': rename one",
    change: 'Rename one. Plugins may add [tasks](tasks.md) too.',
  },
  missing_lease: {
    about: 'A task is for one node at a time, and the broker has no leases.',
    example:
      "The task removeOld is for one node at a time, and the broker 'nats' has no leases: use redisBroker(), or remove onOneNode",
    change: 'Use a broker with leases, such as [`redisBroker()`](realtime.md).',
  },
  missing_peer: {
    about: 'A package that has to be installed beside Twinwire is missing.',
    example: "redisBroker() needs the package 'ioredis': npm install ioredis",
    change: 'Run the command of the message.',
  },
  unavailable_port: {
    about: 'The port is in use, or the process may not listen on it.',
    example: 'Port 8000 of 127.0.0.1 is already in use: stop the other listener, or choose another port',
    change: 'Stop the other process, or set `PORT`. Port 0 takes a free one.',
  },
  unavailable_transport: {
    about: 'uWebSockets.js cannot be loaded here, or the transport cannot share its port with other workers.',
    example: "The transport 'memory' cannot share a port with other workers: use uws(), or do not call cluster()",
    change:
      '[Installing](installing.md) lists the systems, the versions of Node.js and of glibc. `app.doctor()` looks at them.',
  },
  unavailable_broker: {
    about: 'The broker did not start.',
    example: "The broker 'nats' did not start: no server at 127.0.0.1:4222",
    change: 'The message has the words of the broker.',
  },
  unavailable_cluster: {
    about: 'A cluster cannot be started here: it requires Linux and the main thread.',
    example:
      'cluster() requires Linux, where processes can share a port (this is darwin): set workers to 1, without endpoint',
    change: 'Run one process here, and several on Linux ([cluster](cluster.md)).',
  },
  conflicting_workers: {
    about: 'A part of the app works in one process only, and it is in a worker of a cluster.',
    example:
      'An embedded database works in one process only, and this is a worker of a cluster: set url to postgres://user:password@host:5432/name, or set workers to 1',
    change: 'Replace that part by one that processes share, as the message says.',
  },
  failed_worker: {
    about: 'A worker ended, or took too long, before it listened.',
    example: 'The parent of this worker has ended: start the cluster again',
    change: 'Read what the worker has written before. Its own boot error is thrown as it is.',
  },
  unreachable_database: {
    about: 'The database did not answer within the retries of the start.',
    example:
      'The database at db.internal:5432/shop is not reachable (attempts: 5): connect ECONNREFUSED, ECONNREFUSED. Check that it is running, and the url of database().',
    change:
      'Start it, or correct the address. How long the start waits are options of [`database()`](transactions.md).',
  },
  failed_migration: {
    about: 'A migration failed, or its files are not usable.',
    example: 'There are no migrations in /app/drizzle: run drizzle-kit generate (meta/_journal.json is missing)',
    change: 'The message has the file, the statement and whether a part was applied ([migrations](transactions.md)).',
  },
  missing_table: {
    about: 'A table that a part of the app needs is missing, has other columns, or must not be written by this user.',
    example: 'once() writes its table, and this user may not: grant UPDATE on twinwire_once to it',
    change:
      'Export the table from the schema that drizzle-kit reads, generate a migration and apply it; or grant the right.',
  },
  wrong_state: {
    about: 'The app or transport is in a state in which this call is not possible.',
    example: 'The app is already listening: call listen once',
    change: 'An app starts once: create another one after `close()`. Register things of a plugin in its `setup`.',
  },
}
