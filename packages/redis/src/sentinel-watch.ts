import { isIP } from 'node:net'
import type { Redis } from 'ioredis'

/** Where a master is, as a Sentinel says. */
interface Master {
  readonly host: string
  readonly port: number
}

const channel = '+switch-master'

/**
 * Leaves a master as soon as a Sentinel names another one. The old one, if it still runs, would else take writes for about ten seconds more, until
 * the Sentinels make it a replica, and these writes would be lost.
 *
 * Not by ioredis' `failoverDetector`: a switch that it sees while the client asks a Sentinel ends that client for good.
 */
export class SentinelWatch {
  readonly #client: Redis
  readonly #name: string
  readonly #create: readonly (() => Redis)[]
  #sentinels: readonly Redis[] = []
  #master: Master | null = null
  /** A switch that the client may have missed, since it was connecting. */
  #isUnchecked = false

  /** Runs from the client's first connection until the client ends. `create` makes a client of each Sentinel, without connecting it. */
  constructor(client: Redis, name: string, create: readonly (() => Redis)[]) {
    this.#client = client
    this.#name = name
    this.#create = create
    client.on('connect', () => this.#start())
    client.on('ready', () => this.#checkClient())
    client.on('end', () => this.#stop())
  }

  #start(): void {
    if (this.#sentinels.length > 0) return
    this.#sentinels = this.#create.map((create) => {
      const sentinel = create()
      // One that is away is tried again; the others, or else the replica's READONLY, tell of the switch.
      sentinel.on('error', () => {})
      sentinel.on('ready', () => this.#follow(sentinel))
      sentinel.on('message', (_channel: string, message: string) => {
        const [name, , , host = '', port] = message.split(' ')
        if (name === this.#name) this.#onMaster({ host, port: Number(port) })
      })
      sentinel.connect().catch(() => {})
      return sentinel
    })
  }

  #stop(): void {
    for (const sentinel of this.#sentinels) sentinel.disconnect()
    this.#sentinels = []
    this.#master = null
    this.#isUnchecked = false
  }

  /** Also asks, for what was switched before the subscription. */
  #follow(sentinel: Redis): void {
    const asked = sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#name)
    const subscribed = sentinel.subscribe(channel)
    Promise.all([asked, subscribed]).then(
      ([reply]) => {
        if (!Array.isArray(reply) || !this.#sentinels.includes(sentinel)) return
        const master = { host: String(reply[0]), port: Number(reply[1]) }
        if (this.#master === null) this.#master = master
        else this.#onMaster(master)
      },
      // The connection is lost, or not allowed to: it is made again, and asks again.
      () => {},
    )
  }

  #onMaster(master: Master): void {
    const { host, port } = this.#master ?? {}
    if (master.host === host && master.port === port) return
    this.#master = master
    this.#isUnchecked = true
    this.#checkClient()
  }

  #checkClient(): void {
    if (!this.#isUnchecked || this.#client.status !== 'ready') return
    this.#isUnchecked = false
    if (!this.#isAtMaster()) this.#client.disconnect(true)
  }

  /** A master that has a host name is known by its port alone. */
  #isAtMaster(): boolean {
    const { remoteAddress = '', remotePort } = this.#client.stream
    if (this.#master === null) return true
    const { host, port } = this.#master
    return port === remotePort && (isIP(host) === 0 || host === remoteAddress.replace(/^::ffff:/, ''))
  }
}
