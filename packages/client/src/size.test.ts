import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const maxBytes = 8 * 1024
const maxProtobufBytes = 2 * 1024

/** A page that exports all of these, minified: its size when compressed, and the files that it is made of. */
async function bundle(...names: readonly string[]): Promise<{ bytes: number; files: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: names.map((name) => `export * from './${name}'`).join('\n'),
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
  })
  const files = Object.keys(metafile.inputs).filter((path) => path !== '<stdin>')
  return { bytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length, files }
}

test('both wires are at most 8 KiB, minified and compressed, and nothing else is in them', async () => {
  const { bytes, files } = await bundle('index.ts')
  expect(bytes).toBeLessThanOrEqual(maxBytes)
  expect(files.filter((path) => !path.includes('packages/client/src/'))).toEqual([])
})

test('protobuf adds at most 2 KiB', async () => {
  const [without, together] = [await bundle('index.ts'), await bundle('index.ts', 'protobuf.ts')]
  expect(together.bytes - without.bytes).toBeGreaterThan(0)
  expect(together.bytes - without.bytes).toBeLessThanOrEqual(maxProtobufBytes)
  expect(together.files.filter((path) => !path.includes('packages/client/src/'))).toEqual([])
})
