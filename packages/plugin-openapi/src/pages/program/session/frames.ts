import { Emitter } from './emitter.ts'
import type { Mask } from './mask.ts'

/** What went over a wire, without tokens. */
export interface Frame {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly wire: 'http' | 'ws'
  readonly direction: 'in' | 'out'
  readonly text: string
  /** Of the frame itself; null for what is not a frame: the opening and the end of a connection. */
  readonly bytes: number | null
}

const maxFrames = 300
const maxCharacters = 20_000

/** The last frames of both wires. Tokens are masked before a frame is kept. */
export class FrameLog {
  readonly changed = new Emitter<Frame | null>()
  readonly #mask: Mask
  #frames: Frame[] = []
  #next = 1

  constructor(mask: Mask) {
    this.#mask = mask
  }

  get all(): readonly Frame[] {
    return this.#frames
  }

  add(wire: Frame['wire'], direction: Frame['direction'], text: string, bytes: number | null): void {
    // Masked as a whole: the cut must not divide a token.
    const masked = this.#mask.apply(text)
    const rest = masked.length - maxCharacters
    const shown = rest > 0 ? `${masked.slice(0, maxCharacters)}\n… ${rest} more characters` : masked
    const frame: Frame = { id: this.#next++, at: Date.now(), wire, direction, text: shown, bytes }
    this.#frames = [...this.#frames.slice(1 - maxFrames), frame]
    this.changed.emit(frame)
  }

  clear(): void {
    this.#frames = []
    this.changed.emit(null)
  }
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength
}
