// Writes docs_site/settings.md from the declarations of the settings. With --check it writes nothing, and ends with 1 when the
// file is not what it would write. Run by `npm run settings-table`, from the sources.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { declaredSettings } from '../examples/authors/src/settings.ts'

const file = new URL('../docs_site/settings.md', import.meta.url)

const text = `# Settings

<!-- Written by \`npm run settings-table\` from the declarations: change those. -->

Variables of the environment, or lines \`NAME=value\` of a file \`.env\` in the working directory; where both have a name, the environment
wins. Names are case-sensitive, an empty variable counts as not set, lists are JSON. Whatever is wrong is told at start, all at once, by name,
without a value. An app composes the groups that it uses, with groups of its own: \`defineSettings({ listen: listenSettings, … })\`. These are
the groups that come with Twinwire, and what is the example's own: \`developmentIssuer\`, \`circuitBreakers\`, and the refusal of
\`AUDIT_LOG_ENABLED\` and \`PROFILING_ENABLED\`.

${declaredSettings.describe()}`

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('docs_site/settings.md is not what the declarations say: npm run settings-table')
    process.exitCode = 1
  }
} else {
  writeFileSync(file, text)
}
