import { definePackage } from '../../tsup.package.ts'

export default definePackage({
  index: 'src/index.ts',
  plugin: 'src/plugin.ts',
  settings: 'src/settings.ts',
  cluster: 'src/cluster.ts',
  transport: 'src/transport.ts',
  protobuf: 'src/protobuf.ts',
  'database/index': 'src/database.ts',
  'database/valibot/index': 'src/database-valibot.ts',
  'database/testing/index': 'src/database-testing.ts',
  'testing/index': 'src/testing.ts',
})
