import { BootError } from '../../base/boot-error.ts'
import { type WorkerApp, workerLink } from '../../base/cluster-worker.ts'
import type { Logger } from '../../base/logger.ts'
import type { ListenOptions, Transport } from '../../transport/transport.ts'
import type { App } from '../app.ts'
import type { Wires } from '../wires.ts'

interface BindOptions {
  readonly app: Pick<App, 'close' | 'state'>
  readonly transport: Transport
  readonly address: Omit<ListenOptions, 'shared'>
  readonly wires: Wires
  readonly log: Logger
}

/** Binds the port of an app: in a worker of a cluster the one that all workers share. */
export async function bind({ app, transport, address, wires, log }: BindOptions): ReturnType<Transport['listen']> {
  const worker = workerLink()
  if (worker !== null && transport.canShare !== true)
    throw new BootError(
      'unavailable_transport',
      `The transport '${transport.name}' cannot share a port with other workers: use uws(), or do not call cluster()`,
    )
  const { host, port } = address
  const shared =
    worker === null
      ? {}
      : { shared: true, port: await worker.claimPort(toWorkerApp(app, transport, wires), host, port) }
  return transport.listen(
    { ...address, ...shared },
    {
      upgrade: (request) => wires.upgrader.upgrade(request),
      request: (exchange) => wires.http.request(exchange),
      fault: (error) => log.error({ err: error }, 'A transport handler failed'),
    },
  )
}

function toWorkerApp(app: BindOptions['app'], transport: Transport, { compiled: { health } }: Wires): WorkerApp {
  return {
    stopAccepting: () => transport.stopAccepting(),
    close: () => app.close(),
    health: async () => (await health?.report()) ?? { status: app.state === 'serving' ? 'healthy' : 'unhealthy' },
  }
}
