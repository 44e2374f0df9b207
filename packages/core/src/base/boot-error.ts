/** Every reason for which an application does not start. */
export type BootErrorCode =
  | 'unknown_option'
  | 'bad_option'
  | 'bad_pkg_id'
  | 'duplicate_pkg_id'
  | 'missing_route'
  | 'unknown_route'
  | 'route_used_twice'
  | 'bad_route'
  | 'bad_path'
  | 'duplicate_path'
  | 'unused_path_parameter'
  | 'step_order'
  | 'plugin_missing'
  | 'plugin_duplicate'
  | 'plugin_key_mismatch'
  | 'identity_owner_duplicate'
  | 'identity_owner_missing'
  | 'identity_on_public_route'
  | 'handshake_owner_duplicate'
  | 'control_frame_duplicate'
  | 'topic_duplicate'
  | 'default_access_missing'
  | 'error_code_duplicate'
  | 'instrument_duplicate'
  | 'health_duplicate'
  | 'peer_missing'
  | 'port_taken'
  | 'uws_unavailable'
  | 'settings_invalid'
  | 'database_unreachable'
  | 'migration_failed'
  | 'wrong_state'

/** The application cannot start because of its code or configuration. The message says what to change. */
export class BootError extends Error {
  override readonly name = 'BootError'
  readonly code: BootErrorCode

  constructor(code: BootErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
