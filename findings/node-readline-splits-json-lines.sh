#!/usr/bin/env bash
# Node.js 24.21.0: `readline` ends a line at U+2028 and U+2029 as well. JSON.stringify leaves both as they are, so a file of JSON lines that has
# one in a string, as text copied from a web page has, is read as more lines than were written, and their parts are not JSON. Node.js 22.23.3
# reads the same file as it was written, with `crlfDelay: Infinity` and without.
# Affected: servers and tools that read JSON lines (logs, queues, exports) by `readline` and move from Node.js 22 to 24.
# Exits with 0 while this is so, with 1 when it has changed. Needs npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >write.mjs <<'EOF'
import { writeFileSync } from 'node:fs'
const rows = [{ note: 'one\u2028two' }, { note: 'three\u2029four' }, { note: 'five' }]
writeFileSync('rows.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
EOF
cat >read.mjs <<'EOF'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
let lines = 0
let broken = 0
for await (const line of createInterface({ input: createReadStream('rows.jsonl') })) {
  lines++
  try {
    JSON.parse(line)
  } catch {
    broken++
  }
}
console.log(`${lines} lines, ${broken} not JSON`)
EOF
node write.mjs
read_with() {
  mkdir "$1"
  npm install --prefix "$1" --no-audit --no-fund --silent "node@$1"
  "$1/node_modules/node/bin/node" read.mjs
}
before=$(read_with 22.23.3)
after=$(read_with 24.21.0)
echo "3 rows; 22.23.3: $before; 24.21.0: $after"
if [[ $before == '3 lines, 0 not JSON' && $after == '5 lines, 4 not JSON' ]]; then
  echo 'as described: lines of JSON are split within a string'
else
  echo 'this has changed: read the finding again' >&2
  exit 1
fi
