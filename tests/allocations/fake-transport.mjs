// The smallest transport: it has no sockets, copies nothing and allocates nothing for a call, so that what is counted is core's.

/** @returns a transport for `createApp`, and the two ways in. */
export function createFakeTransport() {
  let handlers = null
  /** By topic. */
  const subscribers = new Map()
  return {
    transport: {
      name: 'fake',
      acceptedBytes: 0,
      publish(topic, data) {
        this.acceptedBytes += data.byteLength
        const sockets = subscribers.get(topic) ?? []
        for (let i = 0; i < sockets.length; i++) sockets[i].send(data)
      },
      async listen(_options, given) {
        handlers = given
        return { port: 1 }
      },
      stopAccepting() {},
      async flushed() {},
      async close() {},
    },
    request: (exchange) => handlers.request(exchange),
    /** Resolves with the listener of the socket when the upgrade was accepted. */
    connect(headers = {}) {
      const socket = new FakeSocket(subscribers)
      return new Promise((resolve, reject) => {
        const upgrade = new FakeHead('GET', '/ws', { ...handshake, ...headers })
        upgrade.accept = (listener) => {
          listener.opened(socket)
          resolve({ socket, listener })
        }
        upgrade.reject = (status, _headers, body) => reject(new Error(`The upgrade was rejected: ${status} ${body}`))
        handlers.upgrade(upgrade)
      })
    },
  }
}

const handshake = {
  host: 'localhost',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** A request line and headers. One object serves all calls of a scenario. */
class FakeHead {
  method
  path
  query = ''
  address = '127.0.0.1'
  secure = false
  malformed = null
  aborted = false
  #headers

  constructor(method, path, headers) {
    this.method = method
    this.path = path
    this.#headers = headers
  }

  header(name) {
    return this.#headers[name] ?? ''
  }
  headers() {
    return this.#headers
  }
  onAborted() {}
}

export class FakeExchange extends FakeHead {
  #body
  status = 0
  answer = null
  answered = 0

  constructor(method, path, headers, body = null) {
    super(method, path, { host: 'localhost', ...headers })
    this.#body = body
  }

  readBody(_maxBytes, done) {
    done(this.#body)
  }
  respond(status, _headers, body) {
    this.status = status
    this.answer = body
    this.answered += 1
  }
  respondPrepared(status, _head, _value, _headers, body) {
    this.respond(status, null, body)
  }
}

class FakeSocket {
  last = null
  sent = 0
  #subscribers

  constructor(subscribers) {
    this.#subscribers = subscribers
  }

  subscribe(topic) {
    this.#subscribers.set(topic, [...(this.#subscribers.get(topic) ?? []), this])
  }
  unsubscribe(topic) {
    throw new Error(`Unsubscribed from ${topic}`)
  }
  send(data) {
    this.last = data
    this.sent += 1
    return 1
  }
  cork(write) {
    write()
  }
  bufferedBytes() {
    return 0
  }
  end(code, reason) {
    throw new Error(`The connection was closed: ${code} ${reason}`)
  }
  close() {}
}
