import { test } from 'vitest'
import { createApp } from '../../app/app.ts'
import { reply } from '../../call/reply.ts'
import { route } from '../../route/route.ts'
import { staticFiles } from './static-files.ts'

test('the files of a folder are served to those that `access` names', () => {
  createApp({ pkgIds: {}, routes: {}, endpoints: [staticFiles({ root: 'public', prefix: '/', access: 'public' })] })
  // @ts-expect-error access has no default
  staticFiles({ root: 'public', prefix: '/' })
  // @ts-expect-error a prefix begins with a slash
  staticFiles({ root: 'public', prefix: 'assets', access: 'public' })
})

test('a file cannot be a package', () => {
  const file = route({ http: 'GET /invoice', handler: () => reply.file('invoice.pdf', { root: 'invoices' }) })
  // @ts-expect-error it has no form as one
  createApp({ pkgIds: { A: 1 }, routes: { A: file } })
  createApp({ pkgIds: {}, routes: {}, endpoints: [file] })
  // @ts-expect-error root has no default
  reply.file('invoice.pdf', {})
})
