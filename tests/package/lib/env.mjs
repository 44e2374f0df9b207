import process from 'node:process'

/** The environment without what npm tells its scripts about this package: a host is none of it. */
export function quietEnv(more = {}) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|command|execpath|node|config_local_prefix)/.test(name) && name !== 'INIT_CWD',
  )
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...more }
}
