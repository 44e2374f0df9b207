#!/usr/bin/env bash
# Node.js 20.19.5 and 22.20.0, `import process from 'node:process'` in an ES module: linking it reads every property of `process` for the named
# exports, and so runs the lazy getters of stdin, stdout and stderr. With stdin a pipe that loads `net` and creates a socket. The global
# `process` does none of that.
# Affected: servers and command-line tools that should start fast: the one import creates streams that the program never uses, in each
# process; a lint rule that prefers the import to the global does it everywhere.
# Exits with 0 while this is so, with 1 when it has changed. Needs npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo "console.error('net is loaded:', process.moduleLoadList.includes('NativeModule net'))" >global.mjs
sed '1i import process from "node:process"' global.mjs | sed 's/console.error(\(.*\))/process._rawDebug(\1)/' >imported.mjs
sed -i 's/console.error(\(.*\))/process._rawDebug(\1)/' global.mjs
changed=0
for version in 20.19.5 22.20.0; do
  mkdir "$version"
  npm install --prefix "$version" --no-audit --no-fund --silent "node@$version"
  node="$version/node_modules/node/bin/node"
  global=$(: | "$node" global.mjs 2>&1)
  imported=$(: | "$node" imported.mjs 2>&1)
  echo "$version, global process: $global; import of node:process: $imported"
  [[ $global == *false && $imported == *true ]] || changed=1
done
if [ "$changed" -eq 0 ]; then
  echo 'as described: the import creates the standard streams'
else
  echo 'this has changed: read the finding again' >&2
  exit 1
fi
