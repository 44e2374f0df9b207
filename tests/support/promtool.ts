import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { serviceMissing } from './service.ts'

const promtool = process.env.TEST_PROMTOOL || 'promtool'

/** Its output and exit code: 0, or 3 for problems that its lint finds. */
export interface PromtoolResult {
  readonly code: number | null
  readonly output: string
}

/**
 * True when `promtool`, of Prometheus, can be run here; if not, prints why, or throws where services are required.
 */
export function hasPromtool(): boolean {
  if (spawnSync(promtool, ['--version']).status === 0) return true
  return serviceMissing('promtool', 'put it on the PATH (Debian: package prometheus), or set TEST_PROMTOOL to it')
}

/** Lints a scrape in the text format. */
export function checkMetrics(scrape: string): PromtoolResult {
  return run(['check', 'metrics'], scrape)
}

/** Checks a file of alerting and recording rules. */
export function checkRules(file: string): PromtoolResult {
  return run(['check', 'rules', file])
}

/** Checks a configuration and its rule files. */
export function checkConfig(file: string): PromtoolResult {
  return run(['check', 'config', file])
}

/** Runs a file of unit tests of rules. */
export function testRules(file: string): PromtoolResult {
  return run(['test', 'rules', file])
}

function run(args: readonly string[], input = ''): PromtoolResult {
  const { status, stdout, stderr } = spawnSync(promtool, args, { input, encoding: 'utf8', timeout: 60_000 })
  return { code: status, output: `${stdout}${stderr}` }
}
