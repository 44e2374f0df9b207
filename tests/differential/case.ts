import type { Profile } from './apps.ts'

/** What a step waits for before the next one begins. */
export type Awaited =
  /** One HTTP answer for each method, in order. */
  | { readonly kind: 'answers'; readonly methods: readonly string[] }
  /** These bytes. */
  | { readonly kind: 'text'; readonly text: string }
  /** The request is not whole, so no answer comes: the client waits briefly and leaves. */
  | { readonly kind: 'nothing' }
  /** The handshake of a WebSocket, or an answer that refuses the upgrade. */
  | { readonly kind: 'admission' }
  /** The server closes the connection. */
  | { readonly kind: 'close' }

/** One write of a client. Bytes are text, one character for each. */
export interface Step {
  readonly peer: number
  /** Sent one after another, in packets of their own. */
  readonly pieces: readonly string[]
  readonly awaits: Awaited
  /** Left out unless the upgrade of this client was accepted, or refused. */
  readonly when?: 'upgraded' | 'refused'
}

/** What one client, or several, send to one app. */
export interface Case {
  readonly index: number
  readonly wire: 'http' | 'ws'
  readonly profile: Profile
  readonly peers: number
  /** Its address is one of the trusted proxies of `edges`. */
  readonly trusted: boolean
  readonly steps: readonly Step[]
  /** Requests and frames in it, without those that only check whether the connection is open. */
  readonly requests: number
}

/** What the clients of a case received. */
export interface Recording {
  readonly peers: readonly PeerRecording[]
}

export interface PeerRecording {
  /** Every byte, one character for each. */
  readonly received: string
  readonly end: 'open' | 'closed'
  /** The step whose answer did not come in time; null when all came, or the connection closed. */
  readonly stuckAt: number | null
}

/** Tokens of the issuer, by what is wrong with them. */
export type Tokens = Readonly<
  Record<'writer' | 'reader' | 'scoped' | 'expired' | 'forged' | 'audience' | 'garbage', string>
>
