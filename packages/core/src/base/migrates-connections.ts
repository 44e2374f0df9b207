import { readFileSync } from 'node:fs'

/**
 * Whether this system passes connections that a closing listener has not accepted to another listener of the same port. Otherwise they are reset when
 * a worker of a cluster is replaced. Null where it cannot be read.
 */
export function migratesConnections(): boolean | null {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1'
  } catch {
    // Not Linux, or older than 5.14.
    return null
  }
}

export const migrationAdvice =
  'net.ipv4.tcp_migrate_req is 0, so connections that a worker has not accepted yet are reset when it is replaced: set it to 1 with sysctl'
