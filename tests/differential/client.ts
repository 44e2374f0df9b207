import { connect, type Socket } from 'node:net'
import type { Case, PeerRecording, Recording, Step } from './case.ts'
import { hasAnswers } from './http-answer.ts'

/** How long a step may take: far longer than any answer. */
const patienceMs = 5000
/** Between the packets of a step, so that they arrive as such. */
const betweenMs = 4
/** How long a client waits for the answer to a request that is not whole. */
const briefMs = 25

class Peer {
  readonly #socket: Socket
  #received = ''
  #closed = false
  #stuckAt: number | null = null
  #look: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#look()
    })
    // A reset is one way for the server to close.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#look()
    })
  }

  static async open(port: number, address: string): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true, allowHalfOpen: false })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    socket.removeAllListeners()
    return new Peer(socket)
  }

  async run({ pieces, awaits, when }: Step, index: number): Promise<void> {
    if (this.#closed || this.#stuckAt !== null) return
    if (when !== undefined && this.#isUpgraded !== (when === 'upgraded')) return
    const from = this.#received.length
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, betweenMs))
      if (this.#closed) return
      this.#socket.write(piece, 'latin1')
    }
    switch (awaits.kind) {
      case 'answers':
        return this.#wait(index, () => hasAnswers(this.#received, from, awaits.methods))
      case 'text':
        return this.#wait(index, () => this.#received.includes(awaits.text, from))
      case 'admission':
        return this.#wait(
          index,
          () =>
            this.#received.includes('"type":"auth_ok"', from) ||
            (!this.#isUpgraded && hasAnswers(this.#received, from, ['GET'])),
        )
      case 'close':
        return this.#wait(index, () => false)
      case 'nothing':
        await new Promise((resolve) => setTimeout(resolve, briefMs))
        this.#socket.end()
        return this.#wait(index, () => false)
    }
  }

  get #isUpgraded(): boolean {
    return this.#received.startsWith('HTTP/1.1 101')
  }

  async #wait(index: number, isDone: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const inTime = await new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), patienceMs)
      this.#look = () => {
        if (this.#closed || isDone()) resolve(true)
      }
      this.#look()
    })
    clearTimeout(timer)
    this.#look = () => {}
    if (!inTime) this.#stuckAt = index
  }

  /** A reset, so that thousands of closed connections do not occupy ports. */
  leave(): PeerRecording {
    const end = this.#closed ? 'closed' : 'open'
    this.#socket.resetAndDestroy()
    return { received: this.#received, end, stuckAt: this.#stuckAt }
  }
}

/** Plays the clients of a case. `address`: the one that they come from. */
export async function playCase({ peers: count, steps }: Case, port: number, address: string): Promise<Recording> {
  const peers: Peer[] = []
  for (let i = 0; i < count; i++) peers.push(await Peer.open(port, address))
  for (const [index, step] of steps.entries()) await peers[step.peer]?.run(step, index)
  return { peers: peers.map((peer) => peer.leave()) }
}
