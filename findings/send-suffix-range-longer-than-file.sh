#!/usr/bin/env bash
# send 1.2.1 (what express.static of express 5.2 serves with, and range-parser 1.2.1 below it): a suffix range that is longer than the file is answered
# with 416. RFC 9110, 14.1.2, says that such a range is the whole file: `bytes=-65536` of a file of 100 bytes is 206 with `bytes 0-99/100`.
# range-parser 2.0.0 does so, but send asks for ^1.2.1.
# Affected: readers that begin at the end of a file of unknown size, as those of ZIP and Parquet do for its directory: small files fail,
# large ones work.
# Exits with 0 while this is so, with 1 when it has changed. Needs Node.js 20 or newer and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent send@1.2.1 range-parser@1.2.1
cat >main.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import send from 'send'

writeFileSync('small.bin', Buffer.alloc(100))
const server = createServer((request, response) => send(request, '/small.bin', { root: process.cwd() }).pipe(response))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const ask = async (range) => {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { range } })
  await response.arrayBuffer()
  console.log(range, response.status, response.headers.get('content-range'))
  return response.status
}
const within = await ask('bytes=-50')
const equal = await ask('bytes=-100')
const longer = await ask('bytes=-101')
server.close()
process.exit(within === 206 && equal === 206 && longer === 416 ? 0 : 1)
JS
if node main.mjs; then
  echo 'as described: send 1.2.1 answers a suffix range that is longer than the file with 416'
else
  echo 'this has changed: read the finding again' >&2
  exit 1
fi
