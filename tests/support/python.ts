import { spawnSync } from 'node:child_process'
import { serviceMissing } from './service.ts'

/** Those of Debian come first: they have the packages of Debian. */
const candidates = ['/usr/bin/python3', 'python3']

/** The Python that has protobuf and websockets, with protoc beside it; null if there is none, which is printed, or throws where services are required. */
export function findPython(): string | null {
  const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0
  const python = candidates.find((command) => has(command, '-c', 'import google.protobuf, websockets'))
  if (python !== undefined && has('protoc', '--version')) return python
  const packages = 'protobuf-compiler python3-protobuf python3-websockets'
  serviceMissing('A Python with protobuf and websockets, and protoc', `apt-get install ${packages}`)
  return null
}
