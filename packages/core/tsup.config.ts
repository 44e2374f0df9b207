import { definePackage } from '../../tsup.package.ts'

export default definePackage({
  index: 'src/index.ts',
  'database/index': 'src/database/index.ts',
  'database/valibot/index': 'src/database/valibot/index.ts',
  'database/testing/index': 'src/database/testing/index.ts',
  'testing/index': 'src/testing/index.ts',
})
