/** The four statuses of a reply package. The `code` of an error is more specific. */
export const RSPCode = { OK: 0, ERROR: 1, INVALID_DATA: 2, PERMISSION_DENIED: 3 } as const

export type RSPCode = (typeof RSPCode)[keyof typeof RSPCode]
