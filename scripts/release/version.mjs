// What `changeset version` does, without its major versions below 1.0: `npm run release:version`.
//
// Changesets makes a package a major version when the new version of a peer is out of the range that it has. Below 1.0 each minor
// version is out of range, so that the first release of core would make every plugin 1.0.0. There a minor version is what may break (semver, item 4).
import { fileURLToPath } from 'node:url'
import applyReleasePlan from '@changesets/apply-release-plan'
import { read as readConfig } from '@changesets/config'
import getReleasePlan from '@changesets/get-release-plan'
import { getPackages } from '@manypkg/get-packages'

const root = fileURLToPath(new URL('../..', import.meta.url))

// The packages are CommonJS, with `exports.default`.
const plan = below(await (getReleasePlan.default ?? getReleasePlan)(root))
if (plan.releases.length === 0) {
  console.log('version: no changeset asks for a release')
} else {
  const packages = await getPackages(root)
  await (applyReleasePlan.default ?? applyReleasePlan)(plan, packages, await readConfig(root, packages))
  for (const { name, oldVersion, newVersion } of plan.releases)
    console.log(`version: ${name} ${oldVersion} to ${newVersion}`)
}

/** A changeset that says `major` itself is obeyed: that is how 1.0 is made. */
function below(plan) {
  const isAsked = plan.changesets.some(({ releases }) => releases.some(({ type }) => type === 'major'))
  if (isAsked) return plan
  const releases = plan.releases.map((release) => {
    const [major, minor] = release.oldVersion.split('.').map(Number)
    if (major > 0 || release.type !== 'major') return release
    return { ...release, type: 'minor', newVersion: `0.${minor + 1}.0` }
  })
  return { ...plan, releases: releases.filter(({ type }) => type !== 'none') }
}
