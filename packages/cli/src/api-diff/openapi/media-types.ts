import { has, type Node } from '../json.ts'

/** The entry of a media type, or that of any. */
export function matchOf(type: string, content: Node): string | null {
  const plain = toPlain(type)
  const same = has(content, type) ? type : Object.keys(content).find((each) => toPlain(each) === plain)
  return same ?? [`${plain.split('/', 1)[0]}/*`, '*/*'].find((each) => has(content, each)) ?? null
}

/** Text is UTF-8 where nothing else is said. */
function toPlain(type: string): string {
  return type
    .toLowerCase()
    .replace(/\s/g, '')
    .replace(/;charset="?utf-8"?(?=;|$)/, '')
}
