// What the servers of `http-download` and `http-static` send: the same bytes each.
export const fileBytes = 1024 * 1024

export const file = new Uint8Array(fileBytes).map((_, i) => (i * 31 + (i >> 8)) & 0xff)

export const staticFile = file.subarray(0, 16 * 1024)
