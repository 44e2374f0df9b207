/**
 * Packages as protobuf instead of JSON.
 *
 * @packageDocumentation
 */
export { protobufCodec } from './protocol/protobuf-codec.ts'
