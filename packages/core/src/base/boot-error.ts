/** Every code of core, with its meaning. docs_site/boot-errors.md is the same table. */
export const bootErrorCodes = {
  unknown_option: 'An option has an unknown name.',
  bad_option: 'An option, a declaration or an argument has a value that is not allowed.',
  bad_settings: 'Environment variables are missing or wrong. The message lists all of them.',
  bad_pkg_id: 'A PkgID is not an integer of the allowed range.',
  duplicate_pkg_id: 'Two packages have the same PkgID.',
  missing_route: 'A name in `pkgIds` has neither a route nor an event.',
  unknown_route: 'A name in `routes` or `events` is not declared in `pkgIds`.',
  duplicate_route: 'One route or event is used under two names.',
  bad_route: 'A route is declared in a way that cannot work.',
  bad_path: 'A path or a prefix is not valid.',
  duplicate_path: 'Two routes have the same method and path.',
  unused_path_parameter: 'A parameter of a path is not part of the input.',
  bad_step_order:
    'A guard of a route is behind a check or an interceptor, or a step such as `once()` or `audited()` is not before the `transaction()` that it needs.',
  conflicting_access: 'A public route has a step that requires an identity.',
  missing_default_access: 'No plugin identifies callers, and production has routes without `access`.',
  missing_identity_owner: 'A route or a step requires an identity, and no plugin identifies callers.',
  duplicate_identity_owner: 'Two plugins identify callers.',
  duplicate_handshake_owner: 'Two plugins own the WebSocket handshake.',
  duplicate_control_frame: 'Two plugins handle the same control frame, or a plugin one of core.',
  duplicate_tracer: 'Two plugins trace the app.',
  duplicate_topic: 'The same topic is declared twice, or two patterns fit a topic equally well.',
  missing_plugin: 'A step or a plugin needs a plugin that is not installed.',
  duplicate_plugin: 'Two plugins have the same name.',
  mismatched_plugin_key: 'A step or a plugin has the key of another copy of a plugin than the one installed.',
  duplicate_error_code: 'Two errors of `defineErrors` have the same code.',
  duplicate_instrument: 'Two instruments have the same name, or a shared one is declared differently.',
  duplicate_health_check: 'Two health checks have the same name.',
  duplicate_task: 'Two tasks have the same name.',
  missing_lease: 'A task is for one node at a time, and the broker has no leases.',
  missing_peer: 'A package that has to be installed beside Twinwire is missing.',
  unavailable_port: 'The port is in use, or the process may not listen on it.',
  unavailable_transport:
    'uWebSockets.js cannot be loaded here, or the transport cannot share its port with other workers.',
  unavailable_broker: 'The broker did not start.',
  unavailable_cluster: 'A cluster cannot be started here: it requires Linux and the main thread.',
  conflicting_workers: 'A part of the app works in one process only, and it is in a worker of a cluster.',
  failed_worker: 'A worker ended, or took too long, before it listened.',
  unreachable_database: 'The database did not answer within the retries of the start.',
  failed_migration: 'A migration failed, or its files are not usable.',
  missing_table:
    'A table that a part of the app needs is missing, has other columns, or must not be written by this user.',
  wrong_state: 'The app or transport is in a state in which this call is not possible.',
} as const

export type CoreBootErrorCode = keyof typeof bootErrorCodes

/** Why an application does not start: a code of core, or of a plugin or an application under a namespace (`ratelimit.unknown_store`). */
export type BootErrorCode = CoreBootErrorCode | `${string}.${string}`

/**
 * The application cannot start because of its code or configuration. The message says what to change.
 *
 * @example
 * throw new BootError('billing.unknown_provider', `billing(): provider '${name}' is not known: use one of ${known.join(', ')}`)
 */
export class BootError extends Error {
  override readonly name = 'BootError'
  readonly code: BootErrorCode

  constructor(code: BootErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
