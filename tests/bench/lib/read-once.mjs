const waitLimitMs = 20_000

/** Collects until `read` makes something of it. */
export function readOnce(socket, read) {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0)
    const finish = (act, value) => {
      clearTimeout(timer)
      socket.off('data', collect).off('error', fail).off('close', fail)
      act(value)
    }
    const fail = (error) => finish(reject, error instanceof Error ? error : new Error('The connection has closed'))
    const collect = (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      try {
        const result = read(bytes)
        if (result !== null) finish(resolve, result)
      } catch (error) {
        fail(error)
      }
    }
    const timer = setTimeout(() => fail(new Error('No answer')), waitLimitMs)
    socket.on('data', collect).on('error', fail).on('close', fail)
  })
}
