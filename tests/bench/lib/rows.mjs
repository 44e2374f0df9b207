// The rows of the table in docs_site/performance.md. Targets are ratios to the first server of the workload, or for a figure other than the
// first one, or with `absolute`, values in its unit.

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} title
 * @property {string} workload
 * @property {Record<string, string>} [options] other than the defaults of `--all`, as on the command line
 * @property {string} [figure] the key of the figure; default the first of the workload
 * @property {boolean} [absolute] targets are values, not ratios
 * @property {Record<string, number>} [targets] by server
 * @property {boolean} [atLeast] targets are minimums, not maximums
 * @property {{ server: string, target: number }} [against] another server that Twinwire is compared with
 */

/** @type {readonly Row[]} */
export const rows = [
  {
    id: 'ws',
    title: 'a call over WebSocket',
    workload: 'ws-full',
    targets: { twinwire: 1.03, full: 1.08 },
  },
  { id: 'async', title: 'a call whose handler awaits once', workload: 'async' },
  {
    id: 'http-get',
    title: 'GET with a path parameter',
    workload: 'http-get',
    targets: { twinwire: 1.2 },
    against: { server: 'raw+headers', target: 1.1 },
  },
  {
    id: 'http-post',
    title: 'POST of JSON',
    workload: 'http-post',
    targets: { twinwire: 1.25 },
    against: { server: 'raw+headers', target: 1.1 },
  },
  {
    id: 'http-guarded',
    title: 'GET with a bearer token, a role, a limit, metrics',
    workload: 'http-guarded',
    targets: { full: 1.45 },
  },
  { id: 'http-download', title: 'download of 1 MiB', workload: 'http-download', targets: { twinwire: 1.2 } },
  { id: 'http-static', title: 'static file of 16 KiB', workload: 'http-static', targets: { twinwire: 1.3 } },
  {
    id: 'fan-out-200',
    title: 'publish to 200 connections',
    workload: 'fan-out',
    options: { connections: '200', 'per-turn': '1' },
    targets: { twinwire: 1.08 },
  },
  {
    id: 'fan-out-200-4',
    title: 'publish to 200 connections, 4 publications in a turn',
    workload: 'fan-out',
    options: { connections: '200', 'per-turn': '4' },
    targets: { twinwire: 1.08 },
  },
  {
    id: 'fan-out-2000',
    title: 'publish to 2,000 connections, 4 publications in a turn',
    workload: 'fan-out',
    options: { connections: '2000', 'per-turn': '4' },
    targets: { twinwire: 1.08 },
  },
  {
    id: 'fan-out-slow',
    title: 'publish to 200 connections, 10 of which do not read',
    workload: 'fan-out-slow',
    options: { connections: '200', 'per-turn': '4' },
  },
  {
    id: 'ws-broker',
    title: 'a call over WebSocket, with a broker on Redis',
    workload: 'ws-broker',
    targets: { redis: 1.05 },
  },
  {
    id: 'fan-out-broker',
    title: 'publish to 200 connections by Redis, 4 publications in a turn',
    workload: 'fan-out-broker',
    options: { connections: '200', 'per-turn': '4' },
    targets: { redis: 1.15 },
  },
  {
    id: 'memory',
    title: 'memory of an idle connection, of 5,000',
    workload: 'memory',
    targets: { twinwire: 2, 'with auth': 2.6 },
  },
  {
    id: 'upload',
    title: 'memory that an upload of 1 GiB to a file adds',
    workload: 'upload',
    options: { rounds: '3' },
    absolute: true,
    targets: { twinwire: 32 },
  },
  { id: 'memory', title: 'memory before the first connection', workload: 'memory', figure: 'mebibytes' },
  {
    id: 'sse',
    title: 'an event to 2,000 readers of server-sent events, one a second',
    workload: 'sse',
    options: { rounds: '5', seconds: '5' },
    targets: { twinwire: 1.25 },
  },
  { id: 'sse', title: 'memory of a reader of server-sent events', workload: 'sse', figure: 'kibibytes' },
  {
    id: 'start',
    title: 'start to listening',
    workload: 'start',
    options: { rounds: '15' },
    absolute: true,
    targets: { twinwire: 150 },
  },
  {
    id: 'start',
    title: 'memory when listening',
    workload: 'start',
    figure: 'mebibytes',
    absolute: true,
    targets: { twinwire: 56 },
  },
  {
    id: 'cluster',
    title: 'throughput of two workers on two cores, the load generator on one of them',
    workload: 'cluster',
    atLeast: true,
    targets: { 'two workers': 1.8 },
  },
]

/** A row that shows another figure of the same run is not run again. */
export const runs = rows.filter(({ figure }) => figure === undefined)

/** @returns {string} what repeats the row */
export function toCommand({ workload }, options) {
  const flags = Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`))
  return ['npm run bench -- --workload', workload, ...flags].join(' ')
}
