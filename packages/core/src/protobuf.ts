export { protobufCodec } from './protocol/protobuf-codec.ts'
