import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

/**
 * Linux builds of uWebSockets.js need glibc 2.38, and only for the C23 names of `sscanf`, `strtol` and `strtoul`;
 * Debian 12 has 2.36. Each of those names ends in the old name, so it is enough to let the undefined symbol's name
 * begin 9 bytes later and to give it the version of the old function. What changes in behaviour is that `0b` literals
 * are not parsed.
 *
 * Layout: ELF-64, little endian; System V gABI (symbol table) and the GNU symbol versioning of the LSB (versym,
 * verneed).
 */
export function bindToOlderGlibc(binary: Uint8Array, oldVersion: string): Uint8Array {
  const elf = Buffer.from(binary)
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) throw new Error('not an ELF-64 file')
  const { symbols, versions, needs, strings } = findSections(elf)
  const text = (offset: number): string => elf.toString('latin1', strings + offset, elf.indexOf(0, strings + offset))

  const libc = libcVersions(elf, needs.offset, text)
  const old = libc.find((version) => version.name === oldVersion)
  const asked = libc.find((version) => version.name === 'GLIBC_2.38')
  if (!old || !asked) throw new Error(`no ${oldVersion} or no GLIBC_2.38 among the versions of libc.so.6`)

  for (let i = 0; i < symbols.size / symbolBytes; i++) {
    const versionAt = versions.offset + i * 2
    if ((elf.readUInt16LE(versionAt) & 0x7fff) !== asked.index) continue
    const nameAt = symbols.offset + i * symbolBytes
    const name = text(elf.readUInt32LE(nameAt))
    if (!/^__isoc23_(sscanf|strtou?ll?)$/.test(name)) throw new Error(`${name} has no older version`)
    elf.writeUInt32LE(elf.readUInt32LE(nameAt) + '__isoc23_'.length, nameAt)
    elf.writeUInt16LE(old.index, versionAt)
  }
  // The required version itself becomes a copy of the old one, or the loader would still refuse the file.
  elf.writeUInt32LE(old.hash, asked.at)
  elf.writeUInt32LE(old.nameOffset, asked.at + 8)
  return elf
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** By pieces of 64 KiB: a buffer of the whole file would stay in the memory of the process. */
export function sha256OfFile(path: string): string {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafeSlow(64 * 1024)
  const file = openSync(path, 'r')
  try {
    for (let size = readSync(file, piece); size > 0; size = readSync(file, piece)) hash.update(piece.subarray(0, size))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

const symbolBytes = 24
const sectionType = { symbols: 11, versions: 0x6fffffff, needs: 0x6ffffffe } as const

interface Section {
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

function findSections(elf: Buffer): { symbols: Section; versions: Section; needs: Section; strings: number } {
  const table = Number(elf.readBigUInt64LE(0x28))
  const entryBytes = elf.readUInt16LE(0x3a)
  const sections = Array.from({ length: elf.readUInt16LE(0x3c) }, (_, i): Section => {
    const at = table + i * entryBytes
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      size: Number(elf.readBigUInt64LE(at + 32)),
      link: elf.readUInt32LE(at + 40),
    }
  })
  const symbols = sections.find((section) => section.type === sectionType.symbols)
  const versions = sections.find((section) => section.type === sectionType.versions)
  const needs = sections.find((section) => section.type === sectionType.needs)
  const strings = symbols && sections[symbols.link]
  if (!symbols || !versions || !needs || !strings) throw new Error('no versioned dynamic symbols')
  return { symbols, versions, needs, strings: strings.offset }
}

interface NeededVersion {
  readonly at: number
  readonly name: string
  readonly hash: number
  readonly index: number
  readonly nameOffset: number
}

function libcVersions(elf: Buffer, start: number, text: (offset: number) => string): NeededVersion[] {
  const found: NeededVersion[] = []
  for (let file = start, next = 1; next !== 0; file += next) {
    next = elf.readUInt32LE(file + 12)
    if (text(elf.readUInt32LE(file + 4)) !== 'libc.so.6') continue
    for (let i = elf.readUInt16LE(file + 2), at = file + elf.readUInt32LE(file + 8); i > 0; i--) {
      const nameOffset = elf.readUInt32LE(at + 8)
      found.push({
        at,
        name: text(nameOffset),
        hash: elf.readUInt32LE(at),
        index: elf.readUInt16LE(at + 6),
        nameOffset,
      })
      at += elf.readUInt32LE(at + 12)
    }
  }
  return found
}
