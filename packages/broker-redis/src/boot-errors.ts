/** Codes of boot errors of this broker, with the words of their sections in docs_site/boot-errors.md, which is written from them. */
export const redisBootErrors = {
  'redis.unreachable': {
    about: 'Redis did not answer while the app started.',
    example:
      'redisBroker(): Redis at 127.0.0.1:6379 did not answer within 5000 ms (connect ECONNREFUSED 127.0.0.1:6379): start it, or correct its address',
    change: 'Start Redis, or correct `REDIS_URL`. The app does not start without it.',
  },
  'redis.access_denied': {
    about: 'The password is wrong, or the user may not run a command or use a key that is needed.',
    example:
      "redisBroker(): Redis at 127.0.0.1:6379 refuses its user: NOPERM this user has no permissions to run the 'spublish' command",
    change: 'Correct the credentials in `REDIS_URL`, or give the user what the message names.',
  },
  'redis.old_version': {
    about: 'The server is older than the oldest version that works.',
    example: 'redisBroker(): 127.0.0.1:6379 is Redis 6.0.16, and it needs Redis 6.2 or later',
    change: 'Use Redis 6.2 or newer; for a cluster 7.0 or newer.',
  },
  'redis.unusable': {
    about: 'Redis answered a command of the start with an error.',
    example: "redisBroker(): Redis at 127.0.0.1:6379 cannot be used: ERR unknown command 'EVAL'",
    change: 'The message has the words of Redis.',
  },
} as const
