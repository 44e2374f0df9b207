import { definePackage } from '../../tsup.package.ts'

export default definePackage({ index: 'src/index.ts' })
