#!/usr/bin/env bash
# ioredis 5.11.1 (and 6.0.0), Sentinels with `failoverDetector: true`: when the master is killed, most clients end for good (status `end`) and never reach
# the promoted replica. The detector hears `+switch-master` while the client, which has lost its connection, is asking a Sentinel; it then
# disconnects the connector, whose pending `connect()` throws "Connection is closed.", and Redis.connect takes that for the end, whatever
# `retryStrategy` and `sentinelRetryStrategy` say. Without the detector every client comes back.
# Affected: applications that turn it on to leave a replaced master sooner. Either connect again on `end`, or leave it off and watch the Sentinels.
# Exits with 0 while this is so, with 1 when it has changed. Needs Node.js 20 or newer, npm, and redis-server on the PATH.
set -euo pipefail
folder=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent ioredis@5.11.1
cat >main.mjs <<'JS'
import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'

const [sentinelPort, masterPid] = process.argv.slice(2).map(Number)
const open = (failoverDetector) => {
  const redis = new Redis({
    sentinels: [{ host: '127.0.0.1', port: sentinelPort }],
    name: 'main',
    failoverDetector,
    retryStrategy: () => 50,
    sentinelRetryStrategy: () => 50,
  })
  redis.on('error', () => {})
  return redis
}
const withDetector = Array.from({ length: 20 }, () => open(true))
const without = Array.from({ length: 20 }, () => open(false))
while (![...withDetector, ...without].every(({ status }) => status === 'ready')) await setTimeout(50)
await setTimeout(500)
process.kill(masterPid, 'SIGKILL')
const ended = (clients) => clients.filter(({ status }) => status === 'end').length
const ready = (clients) => clients.filter(({ status }) => status === 'ready').length
for (let i = 0; i < 200 && ready(without) < without.length; i++) await setTimeout(100)
await setTimeout(2000)
console.log(`with the detector: ${ended(withDetector)} of 20 ended, ${ready(withDetector)} ready`)
console.log(`without:           ${ended(without)} of 20 ended, ${ready(without)} ready`)
process.exit(ended(withDetector) > 0 && ready(without) === 20 ? 0 : 1)
JS
free() { node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})"; }
master=$(free) replica=$(free) sentinel=$(free)
serve() {
  redis-server "$@" >/dev/null &
  pids+=($!)
  disown
}
mkdir one two
serve --port "$master" --bind 127.0.0.1 --dir "$folder/one" --save ''
serve --port "$replica" --bind 127.0.0.1 --dir "$folder/two" --save '' --replicaof 127.0.0.1 "$master" --repl-diskless-sync-delay 0
cat >sentinel.conf <<CONF
port $sentinel
bind 127.0.0.1
dir $folder
sentinel monitor main 127.0.0.1 $master 1
sentinel down-after-milliseconds main 500
CONF
sleep 3
serve sentinel.conf --sentinel
sleep 3
if node main.mjs "$sentinel" "${pids[0]}"; then
  echo 'as described: ioredis 5.11.1 ends clients when its detector sees a failover'
else
  echo 'this has changed: read the finding again' >&2
  exit 1
fi
