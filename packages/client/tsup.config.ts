import { definePackage } from '../../tsup.package.ts'

export default definePackage({ index: 'src/index.ts', react: 'src/react.ts', protobuf: 'src/protobuf.ts' })
