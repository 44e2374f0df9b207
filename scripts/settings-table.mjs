// Writes docs_site/settings.md from the declarations of the settings. With --check it writes nothing, and exits with 1 if the
// file differs. Run by `npm run settings-table`, from the sources.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { declaredSettings } from '../examples/authors/src/settings.ts'

const file = new URL('../docs_site/settings.md', import.meta.url)

const text = `# Settings

<!-- Written by \`npm run settings-table\` from the declarations: change those. -->

Set them as environment variables, or as lines \`NAME=value\` of a file \`.env\` in the working directory; the environment takes precedence.
Names are case-sensitive, an empty variable counts as not set, and lists are JSON. At start all errors are reported at once, by name
and without values. An app composes the groups that it uses with its own groups: \`defineSettings({ listen: listenSettings, … })\`. The
table lists the groups of Twinwire, and these of the example: \`developmentIssuer\`, \`profiling\`, and \`circuitBreakers\`.

${declaredSettings.describe()}`

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('docs_site/settings.md does not match the declarations: run npm run settings-table')
    process.exitCode = 1
  }
} else {
  writeFileSync(file, text)
}
