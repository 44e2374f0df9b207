import { redisBootErrors } from '../../../packages/broker-redis/src/boot-errors.ts'
import { bootErrorCodes } from '../../../packages/core/src/base/boot-error-codes.ts'
import { authBootErrors } from '../../../packages/plugin-auth/src/boot-errors.ts'
import { toTable } from './markdown.mjs'

/** As docs_site/.vitepress/anchors.ts does. */
const toAnchor = (code) => code.replaceAll('.', '')

const toIndex = (rows) =>
  toTable(
    ['code', 'meaning'],
    Object.entries(rows).map(([code, { about }]) => [`[\`${code}\`](#${toAnchor(code)})`, about]),
  )

const toSection = ([code, { about, example, change }]) => `### \`${code}\`

${about}

\`\`\`text
${example}
\`\`\`

${change}`

const toSections = (rows) => Object.entries(rows).map(toSection).join('\n\n')

const ofPackages = { ...authBootErrors, ...redisBootErrors }

export const bootErrors = {
  'boot-errors': toIndex(bootErrorCodes),
  'boot-errors-of-packages': toIndex(ofPackages),
  'boot-error-sections': toSections(bootErrorCodes),
  'boot-error-sections-of-packages': toSections(ofPackages),
}
