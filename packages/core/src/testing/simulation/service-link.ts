import type { History } from './history.ts'
import type { Link, LinkUser, Pipe } from './link.ts'

/** What the two ends of a connection learn of its end. */
export interface ServiceEnds {
  /** In the service, once, behind all that still arrives: the process has closed it or was killed, or the network was cut. */
  closedAtService(): void
  /** In the process, once, behind all that still arrives: the network was cut. Not when the process has closed it, or was killed. */
  closedAtProcess(): void
}

/** A connection of a simulated process to a service that the application simulates, such as a database. */
export interface ServiceConnection {
  /** `arrive` runs in the service, later and in order. `what` is a line of the history. */
  toService(what: string, arrive: () => void): void
  /** `arrive` runs in the process, later and in order. `what` is a line of the history. */
  toProcess(what: string, arrive: () => void): void
  /** By the process: what it has sent before arrives. */
  close(): void
}

export interface ServiceRoute {
  /** `node 1` */
  readonly process: string
  /** `database` */
  readonly service: string
  readonly link: Link
  readonly history: History
}

/** Implements {@link ServiceConnection} on a link. */
export class LinkedService implements ServiceConnection, LinkUser {
  readonly #route: ServiceRoute
  readonly #ends: ServiceEnds
  readonly #up: Pipe
  readonly #down: Pipe
  /** Nothing that is sent from now on arrives. */
  #isCut = false
  /** The process neither sends nor receives. */
  #isLeft = false

  constructor(route: ServiceRoute, ends: ServiceEnds) {
    this.#route = route
    this.#ends = ends
    this.#up = route.link.pipe()
    this.#down = route.link.pipe()
    route.link.add(this)
  }

  toService(what: string, arrive: () => void): void {
    if (this.#isCut || this.#isLeft) return
    this.#up.send(() => {
      this.#note('>', what)
      arrive()
    })
  }

  toProcess(what: string, arrive: () => void): void {
    if (this.#isCut || this.#isLeft) return
    this.#down.send(() => {
      this.#note('<', what)
      arrive()
    })
  }

  close(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#down.drop()
    if (!this.#isCut) this.#endService('close')
  }

  /** The process was killed: a part of what it has sent still arrives. */
  killed(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#down.drop()
    if (this.#isCut) return
    this.#up.lose()
    this.#endService('cut')
  }

  cut(): void {
    if (this.#isCut || this.#isLeft) return
    this.#isCut = true
    this.#up.lose()
    this.#down.lose()
    this.#endService('cut')
    this.#down.send(() => {
      this.#note('<', 'cut')
      this.#ends.closedAtProcess()
    })
  }

  #endService(what: string): void {
    this.#up.send(() => {
      this.#route.link.remove(this)
      this.#note('>', what)
      this.#ends.closedAtService()
    })
  }

  #note(arrow: '>' | '<', what: string): void {
    this.#route.history.add(`${this.#route.process} ${arrow} ${this.#route.service}: ${what}`)
  }
}
