import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createFileRegistry, type DescMessage, fromJson, type JsonObject } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'

/** The file as users get it. */
export const protoPath: string = createRequire(import.meta.url).resolve('@twinwire/core/proto/websocket.proto')

/** Descriptors of the messages of websocket.proto for `@bufbuild/protobuf`, by their names. */
export function readProtobufSchema(): (name: string) => DescMessage {
  const source = readFileSync(protoPath, 'utf8').replace(/\/\/.*/g, '')
  const messageType = [...source.matchAll(/message (\w+) \{([^}]*)\}/g)].map(([, name = '', body = '']) => ({
    name,
    field: [...body.matchAll(/(\w+) (\w+) = (\d+);/g)].map(
      ([, type = '', field = '', number]): JsonObject => ({
        name: field,
        number: Number(number),
        label: 'LABEL_OPTIONAL',
        ...(/^[A-Z]/.test(type)
          ? { type: 'TYPE_MESSAGE', typeName: `.websocket.${type}` }
          : { type: `TYPE_${type.toUpperCase()}` }),
      }),
    ),
  }))
  const file = { name: 'websocket.proto', package: 'websocket', syntax: 'proto3', messageType }
  const registry = createFileRegistry(fromJson(FileDescriptorProtoSchema, file), () => undefined)
  return (name) => {
    const message = registry.getMessage(`websocket.${name}`)
    if (message === undefined) throw new Error(`websocket.proto has no message ${name}`)
    return message
  }
}
