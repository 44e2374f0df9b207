// The entries of the changelogs: the words of the changesets, without commits. What a package depends on is one entry, not one for each changeset of it.
const indented = (summary) => summary.trim().split('\n').join('\n  ')

module.exports = {
  getReleaseLine: async ({ summary }) => `- ${indented(summary)}\n`,
  getDependencyReleaseLine: async (_changesets, updated) =>
    updated.length === 0 ? '' : `- With ${updated.map(({ name, newVersion }) => `${name} ${newVersion}`).join(', ')}\n`,
}
