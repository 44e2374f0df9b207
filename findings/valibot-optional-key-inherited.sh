#!/usr/bin/env bash
# valibot 1.5.0, `v.object`: whether an optional key is present is asked with `in`, which also finds what every object inherits. An optional
# key that is named like a member of Object.prototype (`valueOf`, `constructor`, `toString`) is then read from the prototype: `{}` is rejected
# with "Expected string but received Function", though the key was left out; so is any JSON without it.
# Affected: schemas written or generated from foreign field names (a `constructor` of a race, columns of a table, an OpenAPI document).
# Exits with 0 while this is so, with 1 when it has changed. Needs Node.js 20 or newer and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent valibot@1.5.0
cat >main.mjs <<'JS'
import * as v from 'valibot'

const Result = v.object({ race: v.string(), constructor: v.optional(v.string()) })
const without = v.safeParse(Result, JSON.parse('{"race":"Monza"}'))
const present = v.safeParse(Result, JSON.parse('{"race":"Monza","constructor":"Ferrari"}'))
const otherName = v.safeParse(v.object({ race: v.string(), team: v.optional(v.string()) }), JSON.parse('{"race":"Monza"}'))
console.log('key left out:        ', without.success, without.issues?.[0]?.message)
console.log('key present:         ', present.success)
console.log('another key left out:', otherName.success)
process.exit(!without.success && present.success && otherName.success ? 0 : 1)
JS
if node main.mjs; then
  echo 'as described: valibot 1.5.0 reads an optional key from the prototype'
else
  echo 'this has changed: read the finding again' >&2
  exit 1
fi
