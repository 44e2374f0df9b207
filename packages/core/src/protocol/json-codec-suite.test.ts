import * as vitest from 'vitest'
import { codecSuite } from '../testing/suites/codec.suite.ts'
import { jsonCodec } from './json-codec.ts'

const encode = (value: unknown): string => JSON.stringify(value)
const decode = (message: string | Uint8Array): unknown => JSON.parse(String(message))

vitest.describe('jsonCodec', () => {
  codecSuite(vitest, { codec: jsonCodec, encode, decode })
})
