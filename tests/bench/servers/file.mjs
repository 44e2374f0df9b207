// What the servers of `http-download` send: one file, so that its bytes are the same.
export const fileBytes = 1024 * 1024

export const file = new Uint8Array(fileBytes).map((_, i) => (i * 31 + (i >> 8)) & 0xff)
