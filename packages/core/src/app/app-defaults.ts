/** What holds where neither an option nor a setting says otherwise. */
export const appDefaults = {
  host: '127.0.0.1',
  port: 8000,
  deadlineMs: 30_000,
  // 1 MiB, as a literal: isolatedDeclarations infers no product.
  maxBodyBytes: 1_048_576,
  drainTimeoutMs: 10_000,
  commitTimeoutMs: 5000,
} as const
